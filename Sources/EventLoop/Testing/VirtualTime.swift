// Moving a loop's clock from a program or a test, and knowing that everything it set off has come to rest.

extension EventLoop {
    /// Lets `duration` pass on the loop's clock, and then lets every task run until it is blocked.
    ///
    /// What is due meanwhile is done when it is due, in order. On a virtual or manual clock that takes no
    /// real time; on a real one it is a sleep.
    ///
    /// - Throws: `CancellationError`; a manual clock stays where it is by then.
    /// - Precondition: Called on the loop's thread, by a task.
    public func advance(by duration: Duration) async throws {
        engine.assertOnLoop("advance(by:)")
        let target = engine.reactor.now.advanced(by: max(duration, .zero))
        engine.clock.allow(target)
        defer { engine.clock.disallow(target) }
        try await sleep(until: target)
        try await waitAllTasksBlocked()
    }

    /// Runs the loop until `duration` has passed on its clock, or until ``stop()``, and then until every task
    /// is blocked.
    ///
    /// On a virtual or manual clock that takes no real time.
    ///
    /// - Throws: ``EventLoopError/alreadyRunning`` when this thread runs a loop.
    public func run(for duration: Duration) throws(EventLoopError) {
        try checkMayRun()
        let target = now.advanced(by: max(duration, .zero))
        engine.clock.allow(target)
        defer { engine.clock.disallow(target) }
        var isOver = false
        let end = callAt(target) { isOver = true }
        try run(until: { isOver })
        end.cancel()
        if isOver { try runUntilAllTasksBlocked() }
    }

    /// Runs the loop until nothing is ready and nothing has happened, without waiting for anything.
    ///
    /// - Throws: ``EventLoopError/alreadyRunning`` when this thread runs a loop.
    public func runUntilAllTasksBlocked() throws(EventLoopError) {
        var isQuiet = false
        let former = engine.whenQuiet
        engine.whenQuiet = { isQuiet = true }
        defer { engine.whenQuiet = former }
        try run(until: { isQuiet })
    }
}

/// Waits until every other task of the loop is blocked: nothing is ready, and nothing has happened that would
/// make something ready. Time does not leap before that, so a test knows that what it started has come as far
/// as it can; trio's wait_all_tasks_blocked.
///
/// A task that waits for a thread, another process or a descriptor counts as blocked.
///
/// - Throws: `CancellationError`.
/// - Precondition: A loop runs on this thread.
public func waitAllTasksBlocked() async throws {
    let engine = EventLoop.current(for: "waitAllTasksBlocked()").engine
    engine.state.waitsWithCare = true
    if await engine.suspend(in: engine.quietWaiters) == .cancelled {
        // Nobody may be left who waits for that.
        engine.state.waitsWithCare = engine.needsCareWhenIdle
        throw CancellationError()
    }
}
