/// A ``Semaphore`` that never has more free permits than it began with: a release too many traps; asyncio's
/// BoundedSemaphore.
///
/// Bound to its loop's thread; use from another traps.
public final class BoundedSemaphore: @unchecked Sendable {
    private let permits: Permits
    private let bound: Int

    /// Makes a semaphore with `value` permits, all free.
    ///
    /// - Parameters:
    ///   - value: How many tasks it lets through at a time; at least 0.
    ///   - loop: The loop that it belongs to; nil means the one that runs on this thread.
    /// - Precondition: A loop runs on this thread, or `loop` is given.
    public init(_ value: Int, on loop: EventLoop? = nil) {
        precondition(value >= 0, "A semaphore cannot begin with \(value) permits: give it 0 or more.")
        permits = Permits(value, engine: (loop ?? EventLoop.current(for: "BoundedSemaphore()")).engine)
        bound = value
    }

    /// How many permits are free. While tasks wait, none is.
    public var value: Int {
        permits.engine.assertMayBeUsedHere("BoundedSemaphore.value")
        return permits.free
    }

    /// Whether an acquire would wait; asyncio's locked().
    public var isExhausted: Bool { value == 0 }

    /// Takes a permit, at once when one is free, or when all who asked before have had one.
    ///
    /// Prefer ``withPermit(_:)``, which cannot forget the release.
    ///
    /// - Throws: `CancellationError` when the task is cancelled before it goes on. It has no permit then; if
    ///   one had been handed over already, the next in line gets it.
    /// - Precondition: On the loop's thread.
    public func acquire() async throws {
        permits.engine.assertOnLoop("BoundedSemaphore.acquire")
        try await permits.acquire()
    }

    /// Takes a permit if one is free.
    ///
    /// - Returns: Whether the caller has one now.
    /// - Precondition: On the loop's thread, or the loop does not run.
    public func tryAcquire() -> Bool {
        permits.engine.assertMayBeUsedHere("BoundedSemaphore.tryAcquire")
        return permits.tryAcquire()
    }

    /// Gives a permit to the first task that waits, or adds it to the free ones. Any task may do so, and so
    /// may a scheduled call.
    ///
    /// - Precondition: A permit is taken. On the loop's thread, or the loop does not run.
    public func release() {
        permits.engine.assertMayBeUsedHere("BoundedSemaphore.release")
        precondition(
            permits.free < bound,
            "All \(bound) permits of this semaphore are free: release it once for each time that it was acquired."
        )
        permits.add(1)
    }

    /// Runs `body` while this task has a permit, and releases that however the body ends.
    ///
    /// The body runs where its caller runs. It keeps the permit when it is cancelled, until it ends.
    ///
    /// - Returns: What the body returned.
    /// - Throws: What the body threw; `CancellationError` as ``acquire()`` does, and the body was not run.
    /// - Precondition: On the loop's thread.
    @discardableResult
    @inlinable
    public func withPermit<Value>(_ body: () async throws -> Value) async throws -> Value {
        try await acquire()
        defer { release() }
        return try await body()
    }
}
