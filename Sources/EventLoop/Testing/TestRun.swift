import Synchronization

/// One run of a test's body on a loop of its own: whether it got stuck, what its tasks left behind, and which
/// errors nobody looked at.
package final class TestRun: @unchecked Sendable {
    /// How long a loop without any deadline waits for others until its run counts as stuck.
    package static let patience = Duration.seconds(1)

    private let loop: EventLoop
    private let unhandled = Mutex<[UnhandledError]>([])
    /// On the loop's thread, like the next two.
    private var deadlock: DeadlockError?
    private var isStuck = false
    private var bodyIsOver = false

    private init(clock: EventLoop.ClockKind, seed: UInt64?, patience: Duration) throws(SystemError) {
        loop = try EventLoop(clock: clock, seed: seed)
        loop.setErrorHandler { [weak self] error in self?.unhandled.withLock { $0.append(error) } }
        loop.engine.whenStuck = (patience, { [unowned self] in noticeDeadlock() })
    }

    private func noticeDeadlock() {
        let isDeadlock = loop.engine.waiters.waits.contains { $0.task != nil }
        // When nobody waits here, the body is elsewhere: on another actor, or not there yet.
        guard isDeadlock || loop.engine.isWindingUp else { return }
        isStuck = true
        if isDeadlock && deadlock == nil { deadlock = DeadlockError(on: loop.engine) }
    }

    /// Ends the tasks that are left, as far as they let themselves be ended.
    private func close() throws {
        isStuck = false
        try loop.close(orOnceHopeless: { self.isStuck })
    }

    /// Throws what was wrong.
    private func check(_ outcome: Result<Void, any Error>?) throws {
        if let deadlock { throw deadlock }
        try outcome?.get()
        if let first = unhandled.withLock({ $0.first }) { throw first }
    }

    // MARK: - On this thread

    /// Runs the body on this thread.
    ///
    /// - Throws: What the body threw; ``DeadlockError``; an ``UnhandledError``; ``SystemError`` when no loop
    ///   can be had.
    static func run(
        clock: EventLoop.ClockKind, seed: UInt64?, patience: Duration = TestRun.patience,
        fileID: String = #fileID, line: UInt = #line, _ body: @escaping @Sendable () async throws -> Void
    ) throws {
        let run = try TestRun(clock: clock, seed: seed, patience: patience)
        let main = TaskOutcome<Void>(on: run.loop, name: "main", fileID: fileID, line: line)
        main.start(on: run.loop) { try await body() }
        main.markRetrieved()
        while !main.isDone && !run.isStuck {
            try run.loop.run(until: { main.isDone || run.isStuck })
        }
        try run.close()
        try run.check(main.result)
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
        let ended = SharedResult<Void>()
        let code = startThread(named: "test", whenOver: { ended.set(.success(())) }) { try! run.serve() }
        guard code == 0 else { throw SystemError(call: "pthread_create", code: code) }
        let outcome: Result<Void, any Error> = await withTaskExecutorPreference(run.loop.executor) {
            defer { run.bodyIsOver = true }
            do { return .success(try await body()) } catch { return .failure(error) }
        }
        _ = await ended.value(from: nil, for: .thread)
        try run.check(outcome)
    }

    /// Runs the loop until the body is over. When that gets stuck, each wait ends by cancellation.
    private func serve() throws {
        while !bodyIsOver {
            try loop.run(until: { self.bodyIsOver || self.isStuck })
            if isStuck { loop.engine.perform { [engine = loop.engine] in engine.cancelAllWaits() } }
            isStuck = false
        }
        try close()
    }
}
