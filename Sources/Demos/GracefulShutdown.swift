// Lesson: Ctrl-C is a cancellation. Who cleans up when it is cancelled, cleans up when the program is ended.
//
// As with asyncio.run, the first SIGINT cancels the main task, and with it everything that it
// awaits. Each await throws, each `defer` is run (`finally` in Python), and main hears of it last. If main
// lets the error through, the process ends by SIGINT, as a shell expects; here main catches it, says goodbye
// and returns. A second SIGINT ends the process at once.
//
// Cancelling means: leave what you are at. When work is to be finished first, listen for the signal yourself
// (loop.add_signal_handler): `Signals` is an async sequence, so the answer to a signal is ordinary code.
//
// The program sends the signals to itself. Try it with your own hands: press Ctrl-C before it does. (Nothing
// comes of SIGINT where it is ignored, as with `&` in a script.)

import EventLoop
import Glibc

@MainActor
func gracefulShutdown() throws {
    title("Two workers: A takes 1 s for an item, B takes 1.75 s")

    section("Ctrl-C after 2.5 s: they leave what they are at")
    try Stage.run {
        let alarm = signalMyself(SIGINT)
        let workshop = Workshop()
        do {
            try await workshop.run()
        } catch is CancellationError {
            // Perhaps you were faster; a second SIGINT would be the end.
            alarm.cancel()
            log("main: the workers have ended; closing the books")
            // Main stays cancelled, so what takes time goes into a task that nobody has cancelled. A plain
            // Task: awaiting a spawned one would cancel it, too (see the lesson cancellation).
            try await Task { try await sleep(for: .seconds(1)) }.value
            log("main: goodbye")
        }
    }
    total()

    section("SIGTERM after 2.5 s, listened for: they finish what they are at")
    try Stage.run {
        let signals = try Signals([SIGTERM])
        signalMyself(SIGTERM)
        let workshop = Workshop()
        spawn(name: "signals") {
            for try await _ in signals { workshop.isClosing = true }
        }
        try await workshop.run()
        log("main: the workers have ended; goodbye")
    }
    total()
    conclude("Clean up in defer, finish what must be finished, and end by returning.")
}

@MainActor @discardableResult
private func signalMyself(_ signal: CInt) -> ScheduledCall {
    EventLoop.current.callLater(.milliseconds(2500)) {
        log(signal == SIGINT ? "Ctrl-C" : "SIGTERM")
        kill(getpid(), signal)
    }
}

@MainActor
private final class Workshop {
    var isClosing = false

    func run() async throws {
        try await gather([("A", 1), ("B", 1.75)]) { (name, seconds) in
            defer { log("\(name)  puts its tools away") }
            for item in 1...5 where !self.isClosing {
                try await sleep(for: .seconds(seconds))
                log("\(name)  has made item \(item)")
            }
        }
    }
}
