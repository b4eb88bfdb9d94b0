/// Lets one task at a time through; asyncio's Lock.
///
///     let lock = Lock()
///     try await lock.withLock {
///         let balance = try await account.load()
///         try await account.save(balance + 1)
///     }
///
/// Tasks get it in the order in which they asked. A release hands the lock to the first that waits, so that
/// nobody who comes in between can take it first.
///
/// A loop runs one task at a time anyway: what happens between two awaits needs no lock. Bound to its loop's
/// thread; use from another traps.
public final class Lock: @unchecked Sendable {
    let engine: Engine
    private let waiters = WaitQueue(for: .lock)
    private var isTaken = false
    /// The task whose ``withLock(_:)`` has the lock, or 0. Who took it by hand is not known: another task may
    /// release it.
    private var scope: UInt = 0

    /// Makes a lock that is free.
    ///
    /// - Parameter loop: The loop that it belongs to; nil means the one that runs on this thread.
    /// - Precondition: A loop runs on this thread, or `loop` is given.
    public convenience init(on loop: EventLoop? = nil) {
        self.init(engine: (loop ?? EventLoop.current(for: "Lock()")).engine)
    }

    init(engine: Engine) {
        self.engine = engine
    }

    /// Whether somebody has it.
    public var isLocked: Bool {
        engine.assertMayBeUsedHere("Lock.isLocked")
        return isTaken
    }

    /// Takes the lock, at once when it is free, or when all who asked before have had it.
    ///
    /// Prefer ``withLock(_:)``, which cannot forget the release. A lock that was taken with this may be
    /// released by any task, so a task that takes it twice waits for another task to release it.
    ///
    /// - Throws: `CancellationError` when the task is cancelled before it goes on. It does not have the lock
    ///   then; if it had been handed over already, the next in line gets it.
    /// - Precondition: On the loop's thread, and not within ``withLock(_:)`` of this lock by the same task,
    ///   which could never go on.
    public func acquire() async throws {
        engine.assertOnLoop("Lock.acquire")
        if !isTaken { try await engine.spendBudget() }
        guard isTaken else {
            isTaken = true
            return
        }
        precondition(
            scope == 0 || scope != currentTask().address,
            "This task has the lock: within withLock it would wait for itself. Do not lock again there.")
        guard await engine.suspend(in: waiters) == .woken else { throw CancellationError() }
        if Task.isCancelled {
            release()
            throw CancellationError()
        }
    }

    /// Takes the lock if it is free.
    ///
    /// - Returns: Whether the caller has it now.
    /// - Precondition: On the loop's thread, or the loop does not run.
    public func tryAcquire() -> Bool {
        engine.assertMayBeUsedHere("Lock.tryAcquire")
        if isTaken { return false }
        isTaken = true
        return true
    }

    /// Gives the lock to the first task that waits, or makes it free. Any task may do so, and so may a
    /// scheduled call.
    ///
    /// - Precondition: It is locked. On the loop's thread, or the loop does not run.
    public func release() {
        engine.assertMayBeUsedHere("Lock.release")
        precondition(isTaken, "This lock is not locked: release it once for each time that it was acquired.")
        scope = 0
        if !engine.wakeFirst(in: waiters) { isTaken = false }
    }

    /// Runs `body` while this task has the lock, and releases it however the body ends.
    ///
    /// The body runs where its caller runs. It keeps the lock when it is cancelled, until it ends.
    ///
    /// - Returns: What the body returned.
    /// - Throws: What the body threw; `CancellationError` as ``acquire()`` does, and the body was not run.
    /// - Precondition: On the loop's thread, and not within another `withLock` of this lock by the same task.
    @discardableResult
    @inlinable
    public func withLock<Value>(_ body: () async throws -> Value) async throws -> Value {
        try await enterScope()
        defer { release() }
        return try await body()
    }

    @usableFromInline
    func enterScope() async throws {
        try await acquire()
        scope = currentTask().address
    }

    // MARK: - For the wait of a condition

    /// Releases the lock, and returns what ``reacquire(for:)`` has to know.
    func giveUp() -> UInt {
        let former = scope
        release()
        return former
    }

    /// Takes the lock again, in turn, whether or not the task is cancelled.
    func reacquire(for former: UInt) async {
        if isTaken { await engine.suspendUncancellably(in: waiters) }
        isTaken = true
        scope = former
    }
}
