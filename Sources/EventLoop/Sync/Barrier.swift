/// Lets tasks go on together, once a number of them has come; asyncio's Barrier. It works again and again.
///
/// Bound to its loop's thread; use from another traps.
public final class Barrier: @unchecked Sendable {
    /// The tasks that pass together. Those who were let go on still know theirs while the next one fills.
    private final class Round {
        var isBroken = false
        var passedCount = 0
    }

    /// How many tasks pass together.
    public let parties: Int
    private let engine: Engine
    private let waiters = WaitQueue(for: .barrier)
    private var round = Round()
    private var isAborted = false

    /// Makes a barrier that nobody waits at.
    ///
    /// - Parameters:
    ///   - parties: How many tasks pass together; at least 1.
    ///   - loop: The loop that it belongs to; nil means the one that runs on this thread.
    /// - Precondition: A loop runs on this thread, or `loop` is given.
    public init(_ parties: Int, on loop: EventLoop? = nil) {
        precondition(parties >= 1, "A barrier cannot be for \(parties) tasks: give it 1 or more.")
        engine = (loop ?? EventLoop.current(for: "Barrier()")).engine
        self.parties = parties
    }

    /// How many tasks have come, and wait for the rest.
    public var waitingCount: Int {
        engine.assertMayBeUsedHere("Barrier.waitingCount")
        return waiters.count
    }

    /// Whether ``abort()`` was called, and ``reset()`` not since.
    public var isBroken: Bool {
        engine.assertMayBeUsedHere("Barrier.isBroken")
        return isAborted
    }

    /// Waits until as many tasks have come as pass together. The last one does not wait.
    ///
    /// A task that is cancelled while it waits leaves, and another has to come in its place; the others wait
    /// on (asyncio's rule). Once the last has come, all pass, also who is cancelled before it goes on.
    ///
    /// - Returns: A number from 0 to `parties - 1`, another for each task that passes: one of them can be
    ///   chosen by it. They ascend as the tasks go on, and the last that came has `parties - 1`.
    /// - Throws: ``BrokenBarrier`` when the barrier is broken, or broken or reset before enough have come;
    ///   `CancellationError` when the task is cancelled before enough have come.
    /// - Precondition: On the loop's thread.
    @discardableResult
    public func wait() async throws -> Int {
        engine.assertOnLoop("Barrier.wait")
        try await engine.spendBudget()
        if isAborted { throw BrokenBarrier() }
        if waiters.count == parties - 1 {
            endRound()
            return parties - 1
        }
        let round = round
        guard await engine.suspend(in: waiters) == .woken else { throw CancellationError() }
        if round.isBroken { throw BrokenBarrier() }
        // Counted here and not at the arrival, because those who leave must not leave gaps.
        defer { round.passedCount += 1 }
        return round.passedCount
    }

    /// Makes the barrier as it was in the beginning: who waits gets ``BrokenBarrier``, who comes then waits
    /// for a new set of tasks.
    ///
    /// - Precondition: On the loop's thread, or the loop does not run.
    public func reset() {
        engine.assertMayBeUsedHere("Barrier.reset")
        isAborted = false
        round.isBroken = true
        endRound()
    }

    /// Breaks the barrier: who waits, and who comes, gets ``BrokenBarrier``, until ``reset()``. For when a
    /// task that the others wait for will not come.
    ///
    /// - Precondition: On the loop's thread, or the loop does not run.
    public func abort() {
        engine.assertMayBeUsedHere("Barrier.abort")
        isAborted = true
        round.isBroken = true
        endRound()
    }

    private func endRound() {
        round = Round()
        engine.wakeAll(in: waiters)
    }
}

/// What a task gets that waits at a ``Barrier`` which is reset, or comes to one that was aborted.
public struct BrokenBarrier: Error, CustomStringConvertible {
    public var description: String { "The barrier was aborted or reset before all who pass it had come." }
}
