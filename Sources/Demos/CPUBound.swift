// Lesson: async saves waiting, not working. What computes needs a processor, and one thread uses one.
//
// Four jobs look for prime numbers, each for a second of processor time. Gathered on the loop they take four
// seconds: there is no await at which one could let another run, nor would that make them any faster. All the
// while nothing else runs, as the missing ticks show.
//
// An `await yield()` now and then (asyncio.sleep(0)) makes them polite: the ticks are back. It takes as long
// as before. What helps are other processors: `toThread`, with a thread for each job. In Python that usually
// needs processes, for the interpreter's lock lets one thread compute at a time; in Swift threads will do. On
// an idle machine with two cores expect half the time, with four or more a quarter.
//
// (`Stage.lapsed` makes times shorter when the lesson is run with --fast.)

import EventLoop

@MainActor
func cpuBound() throws {
    title("Four jobs with 1 s of computing each")
    let names = ["A", "B", "C", "D"]
    try Stage.run {
        section("Gathered on the loop: one after another, and no tick before the end")
        try await withTicks {
            try await gather(names) { name in
                log("\(name)  begins")
                findPrimes(for: Stage.lapsed(.seconds(1)))
                log("\(name)  ends")
            }
        }
        let onLoop = total()

        section("With a yield every 0.01 s: in turns, and no faster")
        try await withTicks {
            try await gather(names) { name in
                log("\(name)  begins")
                for _ in 1...100 {
                    findPrimes(for: Stage.lapsed(.milliseconds(10)))
                    await yield()
                }
                log("\(name)  ends")
            }
        }
        total()

        section("Each in a thread: as many at once as there are cores")
        try await withTicks {
            try await gather(names) { name in
                log("\(name)  begins")
                // Read here: Stage is the main actor's, the closure a thread's.
                let second = Stage.lapsed(.seconds(1))
                _ = try await toThread { findPrimes(for: second) }
                log("\(name)  ends")
            }
        }
        let inThreads = total()
        let speedUp = Duration.speedUpByCores(from: onLoop, to: inThreads)
        conclude("Waits overlap on one thread, computing on several: \(speedUp).")
    }
}

/// Says every 0.7 s that the loop is free, as long as `body` runs.
@MainActor
private func withTicks(_ body: () async throws -> Void) async throws {
    let ticks = spawn(name: "ticks") {
        while true {
            try await sleep(for: Stage.lapsed(.milliseconds(700)))
            log("tick")
        }
    }
    // Before anything computes, the ticks take their first step.
    await yield()
    try await body()
    ticks.cancel()
    _ = await ticks.result
}
