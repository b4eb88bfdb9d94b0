/// A flag that tasks wait for; asyncio's Event.
///
/// Bound to its loop's thread; use from another traps. To set it from elsewhere, do it in
/// ``EventLoop/callSoonThreadSafe(fileID:line:_:)``.
public final class Event: @unchecked Sendable {
    private let engine: Engine
    private let waiters = WaitQueue(for: .event)
    private var flag = false

    /// Makes an event that is not set.
    ///
    /// - Parameter loop: The loop that it belongs to; nil means the one that runs on this thread.
    /// - Precondition: A loop runs on this thread, or `loop` is given.
    public init(on loop: EventLoop? = nil) {
        engine = (loop ?? EventLoop.current(for: "Event()")).engine
    }

    /// Whether a wait would return at once.
    public var isSet: Bool {
        engine.assertMayBeUsedHere("Event.isSet")
        return flag
    }

    /// Lets all who wait go on, in the order in which they came, and all who come from now on not wait.
    ///
    /// Who waits now goes on even if ``clear()`` follows at once.
    ///
    /// - Precondition: On the loop's thread, or the loop does not run.
    public func set() {
        engine.assertMayBeUsedHere("Event.set")
        guard !flag else { return }
        flag = true
        engine.wakeAll(in: waiters)
    }

    /// Makes those who come from now on wait for the next ``set()``.
    ///
    /// - Precondition: On the loop's thread, or the loop does not run.
    public func clear() {
        engine.assertMayBeUsedHere("Event.clear")
        flag = false
    }

    /// Returns at once when the event is set, or when it is set the next time.
    ///
    /// It may be clear again by then. A loop asks once more:
    /// `while !event.isSet { try await event.wait() }`.
    ///
    /// - Throws: `CancellationError` when the task is cancelled before the event is set.
    /// - Precondition: On the loop's thread.
    public func wait() async throws {
        engine.assertOnLoop("Event.wait")
        // Set now is enough, also if the others that go first clear it.
        if flag { return try await engine.spendBudget() }
        guard await engine.suspend(in: waiters) == .woken else { throw CancellationError() }
    }
}
