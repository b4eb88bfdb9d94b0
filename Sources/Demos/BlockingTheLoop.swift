// Lesson: one call that blocks stops every task, for they share its thread. Debug mode says which it was.
//
// `time.sleep(2)` in a coroutine is the classic; reading a file, asking a database or resolving a name with a
// library that blocks does the same. The compiler does not see it, and neither does the loop, which gets its
// thread back only afterwards.
//
// `asyncio.run(main(), debug=True)` reports such a step when it is over, if it took 0.1 s. So does debug
// mode here, which `EventLoop.run(debug: true)` and the environment variable EVENTLOOP_DEBUG=1 turn on. And
// a watchdog thread speaks while the step still lasts, once that has taken a second, and again each time that
// has doubled: it names the task and where it was spawned, and has the stack of the blocked thread, whose
// functions say what it is stuck in. In your program, EVENTLOOP_DEBUG=1 and nothing else prints this:
//
//     EventLoop: The loop has been held up for 1.000 s by a step of task careless, from Shop/main.swift:14:
//         Shop.readTheFile() -> () in Shop at 0x1606f4
//         (2) await resume partial function for Shop.careless() async throws -> () in Shop at 0x160333
//         … and what called that: the loop
//     EventLoop: A step of task careless, from Shop/main.swift:14, took 2.294 s.
//
// The cure is a thread for what blocks: see the lesson threads.
//
// (`Stage.lapsed` makes times shorter when the lesson is run with --fast. The watchdog has little time to
// look then, and on a busy machine it may come too late.)

import EventLoop

@MainActor
func blockingTheLoop() throws {
    title("Ticks every 0.5 s, and a task that blocks for 3 s")
    try Stage.run(debug: true) {
        section("On the loop's thread: no ticks, until it is over")
        let loop = EventLoop.current
        // Read here: Stage is the main actor's, and a handler may be called on any thread.
        let (logFromAnyThread, factor) = (threadSafeLog(), Stage.lapseFactor)
        loop.slowStepThreshold = Stage.lapsed(loop.slowStepThreshold)
        loop.stallThreshold = Stage.lapsed(loop.stallThreshold)
        loop.setDebugHandler { report in
            switch report {
            case .slowStep(let work, let duration):
                let time = (duration * factor).inSeconds
                logFromAnyThread("debug mode: a step of \(work), took \(time)")
            case .stall(let work, _, let backtrace):
                logFromAnyThread("watchdog: stuck in a step of \(work)")
                let ours = backtrace.first { function in function.hasPrefix("Demos.") }
                logFromAnyThread("watchdog: in \(ours ?? "a function of somebody else")")
            case .tasks: break
            }
        }
        let ticks = spawn(name: "ticks") {
            while true {
                log("tick")
                try await sleep(for: Stage.lapsed(.milliseconds(500)))
            }
        }

        let careless = spawn(name: "careless") {
            try await sleep(for: Stage.lapsed(.milliseconds(750)))
            log("blocking …")
            blockThread(for: Stage.lapsed(.seconds(3)))
            log("… done")
        }
        try await careless.value
        try await sleep(for: Stage.lapsed(.milliseconds(750)))

        section("In a thread of the pool: the ticks go on")
        let duration = Stage.lapsed(.seconds(3))  // Read here: the closure is a thread's.
        log("blocking …")
        try await toThread { blockThread(for: duration) }
        log("… done")
        ticks.cancel()
    }
    conclude("Between two awaits, be quick. What is not belongs into a thread.")
}
