/// Lets tasks wait until state that a lock guards has changed; asyncio's Condition.
///
///     try await condition.withLock {
///         try await condition.wait(until: { !items.isEmpty })
///         return items.removeFirst()
///     }
///
/// and, on the other side, `try await condition.withLock { items.append(item); condition.notify() }`.
///
/// A notification is never lost: if `wait` throws, it has used up none. Bound to its loop's thread; use from
/// another traps.
public final class Condition: @unchecked Sendable {
    /// The lock that guards the state.
    public let lock: Lock
    private let engine: Engine
    private let waiters = WaitQueue(for: .condition)

    /// Makes a condition with a lock of its own.
    ///
    /// - Parameter loop: The loop that it belongs to; nil means the one that runs on this thread.
    /// - Precondition: A loop runs on this thread, or `loop` is given.
    public init(on loop: EventLoop? = nil) {
        engine = (loop ?? EventLoop.current(for: "Condition()")).engine
        lock = Lock(engine: engine)
    }

    /// Makes a condition of state that `lock` guards, on that lock's loop. Several conditions may share a
    /// lock: "not empty" and "not full", for example.
    public init(lock: Lock) {
        engine = lock.engine
        self.lock = lock
    }

    /// Takes the lock: ``Lock/acquire()``.
    public func acquire() async throws {
        try await lock.acquire()
    }

    /// Releases the lock: ``Lock/release()``.
    public func release() {
        lock.release()
    }

    /// Runs `body` while this task has the lock: ``Lock/withLock(_:)``.
    @discardableResult
    @inlinable
    public func withLock<Value>(_ body: () async throws -> Value) async throws -> Value {
        try await lock.withLock(body)
    }

    /// Releases the lock, waits for a notification, and takes the lock again.
    ///
    /// Between the notification and the return others may have had the lock, so the state may have changed
    /// again: ``wait(until:)`` looks.
    ///
    /// - Throws: `CancellationError` when the task is cancelled, once it has the lock again, for which it
    ///   waits in any case. A notification that it had got by then goes to the next that waits.
    /// - Precondition: The lock is held. On the loop's thread.
    public func wait() async throws {
        engine.assertOnLoop("Condition.wait")
        checkLocked("Condition.wait")
        let holder = lock.giveUp()
        let wakeup = await engine.suspend(in: waiters)
        await lock.reacquire(for: holder)
        switch wakeup {
        case .woken where Task.isCancelled:
            notify()
            throw CancellationError()
        case .woken: return
        case .cancelled: throw CancellationError()
        }
    }

    /// Waits as often as it takes for `predicate` to hold; asyncio's wait_for. Not at all if it does.
    ///
    /// The predicate is called with the lock held, and holds when this returns. Tasks that wait on one
    /// condition for different things need ``notifyAll()``: ``notify(_:)`` may hit one that it is not for,
    /// which goes on waiting.
    ///
    /// - Throws: What the predicate threw, and a notification that it was called for goes to the next that
    ///   waits; `CancellationError` as ``wait()`` does. The lock is held.
    /// - Precondition: The lock is held. On the loop's thread.
    public func wait(until predicate: () throws -> Bool) async throws {
        engine.assertOnLoop("Condition.wait(until:)")
        checkLocked("Condition.wait(until:)")
        if try predicate() { return }
        while true {
            try await wait()
            do {
                if try predicate() { return }
            } catch {
                notify()
                throw error
            }
        }
    }

    /// Lets the first `count` of the tasks that wait go on, once they get the lock.
    ///
    /// - Parameter count: How many; at least 0. More than there are means all.
    /// - Precondition: The lock is held. On the loop's thread, or the loop does not run.
    public func notify(_ count: Int = 1) {
        checkLocked("Condition.notify")
        precondition(count >= 0, "Condition.notify cannot notify \(count) tasks.")
        for _ in 0..<min(count, waiters.count) { engine.wakeFirst(in: waiters) }
    }

    /// Lets all tasks that wait now go on, one after the other, as they get the lock.
    ///
    /// - Precondition: The lock is held. On the loop's thread, or the loop does not run.
    public func notifyAll() {
        notify(.max)
    }

    private func checkLocked(_ caller: String) {
        precondition(lock.isLocked, "\(caller) needs the lock: call it within withLock.")
    }
}
