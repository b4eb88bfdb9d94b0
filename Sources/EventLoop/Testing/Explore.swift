extension EventLoop {
    /// Runs `body` once for each seed, each time on a new loop that draws the order of its ready tasks from
    /// the seed, until one run fails: finds races that the usual order never shows.
    ///
    ///     try EventLoop.explore(seeds: 1000) {
    ///         let account = Account()
    ///         try await gather({ try await account.pay(10) }, { try await account.pay(20) })
    ///         precondition(account.balance == 70)
    ///     }
    ///
    /// A run fails when the body throws; when the error of a spawned task finds nobody (``UnhandledError``);
    /// and when all tasks wait and none can go on (``DeadlockError``). When the body has ended, tasks that it
    /// spawned and that have not ended are cancelled and awaited.
    ///
    /// The same seed gives the same run, as far as `body` depends on nothing but its loop: let it make what
    /// it uses, and leave out other threads and the machine's clock. Work that is handed to a thread through
    /// the library is waited for, as long as it takes; whatever else comes from outside has a second, or the
    /// clock's patience, before the run counts as stuck.
    ///
    /// The loops run on the calling thread, which is blocked meanwhile. In tests, the trait `.virtualTime` of
    /// EventLoopTesting does the same without that.
    ///
    /// - Parameters:
    ///   - count: How many seeds, at least 1.
    ///   - first: The first; the others follow it.
    ///   - clock: What time is to the loops.
    ///   - body: Runs on the loop, isolated to nothing.
    /// - Throws: ``SeedFailure`` for the first seed that fails; ``EventLoopError/alreadyRunning`` when this
    ///   thread runs a loop; ``SystemError`` when no loop can be made.
    public static func explore(
        seeds count: Int, from first: UInt64 = 0, clock: ClockKind = .virtual,
        fileID: String = #fileID, line: UInt = #line,
        _ body: @escaping @Sendable () async throws -> Void
    ) throws {
        precondition(count > 0, "Without a seed, nothing would run.")
        for seed in first...first + UInt64(count - 1) {
            try explore(seed: seed, clock: clock, fileID: fileID, line: line, body)
        }
    }

    /// Has the run of one seed again that ``explore(seeds:from:clock:fileID:line:_:)`` has found to fail.
    ///
    /// - Throws: ``SeedFailure``, as there.
    public static func explore(
        seed: UInt64, clock: ClockKind = .virtual, fileID: String = #fileID, line: UInt = #line,
        _ body: @escaping @Sendable () async throws -> Void
    ) throws {
        guard currentIfAny == nil else { throw EventLoopError.alreadyRunning }
        do {
            try TestRun.run(clock: clock, seed: seed, fileID: fileID, line: line, body)
        } catch {
            throw SeedFailure(seed: seed, error: error)
        }
    }
}

/// What went wrong in a run whose order was drawn from a seed, and the seed to have it again.
public struct SeedFailure: Error, CustomStringConvertible {
    public let seed: UInt64
    /// What the body threw, a ``DeadlockError``, or an ``UnhandledError``.
    public let error: any Error

    package init(seed: UInt64, error: any Error) {
        self.seed = seed
        self.error = error
    }

    public var description: String {
        "With seed \(seed) (to have it again, pass seed: \(seed)): \(error)"
    }
}
