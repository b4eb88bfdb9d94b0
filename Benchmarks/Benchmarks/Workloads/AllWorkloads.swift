/// In the order of the table.
let allWorkloads: [Workload] =
    [sleepsWorkload, requestsWorkload, waitsWorkload]
    + [echoWorkload(connections: 1), echoWorkload(connections: 50)]
    + [sequentialSleepsWorkload, concurrentSleepsWorkload, timersWorkload, timeoutsWorkload]
    + [stepsWorkload, gatherWorkload, spawnWorkload]
    + [postBurstWorkload, postRoundTripWorkload, idleWorkload]

/// The loop's measures in the first table; all three are compared by eye.
let wholeProgramMeasures: [Measure] = [.wallTime, .cpuTime, .memory]
