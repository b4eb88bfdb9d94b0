import Synchronization

/// One run of a test's body on a loop of its own: whether it got stuck, what its tasks left behind, and which
/// errors nobody looked at.
package final class TestRun: @unchecked Sendable {
    /// How long a loop without any deadline waits for others until its run counts as stuck.
    package static let patience = Duration.seconds(1)

    private let loop: EventLoop
    private let unhandled: UnhandledErrors
    /// On the loop's thread, like the next two.
    private var deadlock: DeadlockError?
    private var isStuck = false
    private var bodyIsOver = false

    package init(clock: EventLoop.ClockKind, seed: UInt64?, patience: Duration = TestRun.patience)
        throws(SystemError)
    {
        loop = try EventLoop(clock: clock, seed: seed)
        let unhandled = UnhandledErrors()
        self.unhandled = unhandled
        loop.setErrorHandler { unhandled.add($0) }
        loop.engine.whenStuck = (patience, { [unowned self] in getStuck() })
    }

    private func getStuck() {
        // The body may be elsewhere: on another actor, or not there yet.
        guard loop.engine.waiters.parkedWaits.count > 0 else { return }
        isStuck = true
        if deadlock == nil { deadlock = DeadlockError(on: loop.engine) }
    }

    /// Ends the tasks that are left, and throws what was wrong in this run.
    private func finish(_ outcome: Result<Void, any Error>) throws {
        isStuck = false
        try loop.windUp(orUntil: { self.isStuck })
        if let deadlock { throw deadlock }
        try outcome.get()
        if let first = unhandled.first { throw first }
    }

    // MARK: - On this thread

    /// Runs the body on this thread.
    ///
    /// - Throws: What the body threw; ``DeadlockError``; an ``UnhandledError``.
    func run(
        fileID: String, line: UInt, _ body: @escaping @Sendable () async throws -> Void
    ) throws {
        try loop.checkMayRun()
        let main = TaskOutcome.start(on: loop, name: "main", fileID: fileID, line: line, body)
        main.markRetrieved()
        try loop.run(until: { main.isDone || self.isStuck })
        try finish(main.result ?? .success(()))
    }

    // MARK: - On a thread of its own

    /// Runs the body as a part of the calling task, which moves over to a new thread for that time.
    ///
    /// - Throws: What the body threw; ``DeadlockError``; an ``UnhandledError``; ``SystemError`` when no loop
    ///   or no thread can be had.
    package static func perform(
        clock: EventLoop.ClockKind, seed: UInt64?, patience: Duration = TestRun.patience,
        _ body: () async throws -> Void
    ) async throws {
        let run = try TestRun(clock: clock, seed: seed, patience: patience)
        let thread = try TestThread { run.serve() }
        let outcome: Result<Void, any Error> = await withTaskExecutorPreference(run.loop.executor) {
            defer { run.bodyIsOver = true }
            do { return .success(try await body()) } catch { return .failure(error) }
        }
        run.loop.stop()
        await thread.end()
        try run.finish(outcome)
    }

    /// Runs the loop until the body is over. When that gets stuck, its waits end by cancellation.
    private func serve() {
        while !bodyIsOver {
            try! loop.run(until: { self.bodyIsOver || self.isStuck })
            if isStuck { loop.engine.cancelAllWaits() }
            isStuck = false
        }
    }
}
