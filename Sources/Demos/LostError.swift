// Lesson: an error in a task reaches whoever awaits it. If nobody does, somebody should still hear of it.
//
// asyncio says "Task exception was never retrieved" when the task is destroyed, which the garbage collector
// may do much later. Here the report comes when the task has ended and its last handle is gone, which is
// always the same moment, and it names the task and the line that spawned it. It is a line on standard error,
// unless a handler is set, as below (loop.set_exception_handler). Being cancelled is no error.
//
// Swift's own `Task { }` works on this loop, too, but its errors are dropped in silence: see the first
// section. `spawn` what you do not await.

import EventLoop

@MainActor
func lostError() throws {
    title("Tasks that fail after 1 s, and that nobody awaits")
    try Stage.run {
        EventLoop.current.setErrorHandler { report in
            // `log` is the main actor's, and a handler may be called on any thread, so the compiler refuses.
            // This says: it is the main thread. In your program: setErrorHandler { report in print(report) }
            MainActor.assumeIsolated { log("report: \(report)") }
        }

        section("Task { }: nothing is heard of it")
        Task { try await fail() }
        try await sleep(for: .seconds(2))
        log("main: all is well?")

        section("spawn without a handle: reported at its end")
        spawn(name: "orphan") { try await fail() }
        try await sleep(for: .seconds(2))
        log("main: now I know")

        section("spawn with a handle: somebody may still ask, so it is reported when the handle goes")
        var kept = [spawn(name: "ward") { try await fail() }]
        try await sleep(for: .seconds(2))
        log("main: I let the handle go")
        kept.removeAll()

        section("Cancelled before it can fail: no report")
        let cancelled = spawn(name: "cancelled") { try await fail() }
        try await sleep(for: .milliseconds(500))
        cancelled.cancel()
        try await sleep(for: .seconds(2))
        log("main: nothing to report")

        section("gather awaits what it starts: the error comes to you")
        do {
            try await gather(["A", "B"]) { _ in try await fail() }
        } catch {
            log("main: caught \(error)")
        }
    }
    conclude("What nobody awaits, spawn: its report says where. A name says who.")
}

private struct OutOfPaper: Error {}

@MainActor
private func fail() async throws {
    try await sleep(for: .seconds(1))
    throw OutOfPaper()
}
