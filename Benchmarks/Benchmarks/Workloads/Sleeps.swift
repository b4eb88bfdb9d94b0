import CFloor
import EventLoop

let sequentialSleepsWorkload = Workload(
    name: "sleeps-in-sequence",
    summary: "2,000 sleeps of 1 ms, one after another: how late they end, and that none ends early",
    section: .floorAndLoop,
    isPinned: true,
    variants: [
        Variant(name: "floor") { conditions in
            let lateness = Histogram()
            var earlyCount: UInt64 = 0
            let count = sequenceCount(conditions)
            let meter = Meter()
            let result = floor_sleep_in_sequence(count, UInt64(millisecond), lateness.pointer, &earlyCount)
            try check(result, "sleep")
            return try figures(meter, lateness, earlyCount: earlyCount)
        },
        Variant(name: "EventLoop") { try sleepInSequence(count: sequenceCount($0)) },
    ],
    measures: Measure.latency("lateness") + [.cpuTime]
)

let concurrentSleepsWorkload = Workload(
    name: "sleeps-at-once",
    summary: "100,000 sleeps of 1 s at once: CPU time and memory",
    section: .floorAndLoop,
    isPinned: true,
    variants: [
        Variant(name: "floor") { conditions in
            let meter = Meter()
            let duration = UInt64(crowdMilliseconds(conditions) * millisecond)
            try check(floor_sleep_at_once(crowdCount(conditions), duration), "sleep")
            return meter.figures
        },
        Variant(name: "EventLoop") { conditions in
            try sleepAtOnce(
                count: Int(crowdCount(conditions)), duration: .milliseconds(crowdMilliseconds(conditions)))
        },
    ],
    measures: [.cpuTime, .memory, .wallTime]
)

private let millisecond = 1_000_000
private func sequenceCount(_ conditions: Conditions) -> Int32 { conditions.scale.pick(2000, quick: 100) }
private func crowdCount(_ conditions: Conditions) -> Int32 { conditions.scale.pick(100_000, quick: 5000) }
private func crowdMilliseconds(_ conditions: Conditions) -> Int { conditions.scale.pick(1000, quick: 100) }

private func figures(_ meter: Meter, _ lateness: Histogram, earlyCount: UInt64) throws -> Figures {
    if earlyCount > 0 { throw BenchmarkError("\(earlyCount) sleeps ended early") }
    var figures = meter.figures
    figures.merge(lateness.figures(named: "lateness"))
    return figures
}

private func sleepInSequence(count: Int32) throws -> Figures {
    try EventLoop.run {
        let lateness = Histogram()
        var earlyCount: UInt64 = 0
        let meter = Meter()
        for _ in 0..<count {
            // Our own clock, on both sides of the call: a loop that trusts an old reading is found out.
            let begin = floor_now_ns()
            try await sleep(for: .milliseconds(1))
            let elapsed = floor_now_ns() - begin
            if elapsed < millisecond {
                earlyCount += 1
            } else {
                lateness.record(elapsed - UInt64(millisecond))
            }
        }
        return try figures(meter, lateness, earlyCount: earlyCount)
    }
}

private func sleepAtOnce(count: Int, duration: Duration) throws -> Figures {
    try EventLoop.run {
        let meter = Meter()
        try await gather(0..<count) { _ in try await sleep(for: duration) }
        return meter.figures
    }
}
