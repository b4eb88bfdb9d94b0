// Waiting for several tasks at once, whose ends and errors stay with the tasks.

/// When ``wait(for:until:timeout:)->([LoopTask<Success>],_)`` has waited long enough; asyncio's return_when.
public enum WaitCondition: Sendable {
    /// All tasks have ended.
    case allCompleted
    /// One of the tasks has ended.
    case firstCompleted
    /// One of the tasks has ended with an error other than a `CancellationError`, or all have ended.
    case firstError
}

/// Waits until some tasks have ended; asyncio's wait. They are not touched: neither a time-out nor the
/// caller's cancellation cancels them, and their errors stay where they are, still to be looked at.
///
///     var pending = [first, second, third]
///     while !pending.isEmpty {
///         let done: [LoopTask<Int>]
///         (done, pending) = try await wait(for: pending, until: .firstCompleted)
///         for task in done { print(try await task.value) }
///     }
///
/// Returns at once when there is nothing to wait for, as without any tasks. (asyncio refuses to wait for no
/// tasks; here that is no more a mistake than gathering none.)
///
/// - Parameters:
///   - tasks: Tasks of the loop that runs on this thread. A task that is in it twice is twice in the result.
///   - timeout: How long to wait at most; at zero or less, only what is ready now runs first. Nil: no limit.
/// - Returns: Those that have ended and those that have not, each in the order in which they were given. More
///   may have ended than the condition asks for. When time was up, `pending` has those that it was up for.
/// - Throws: `CancellationError` when the caller was cancelled.
/// - Precondition: A loop runs on this thread, and the tasks are its tasks. None is the caller.
@discardableResult
public func wait<Success: Sendable>(
    for tasks: some Sequence<LoopTask<Success>>, until condition: WaitCondition = .allCompleted,
    timeout: Duration? = nil
) async throws -> (done: [LoopTask<Success>], pending: [LoopTask<Success>]) {
    let tasks = Array(tasks)
    try await waitForEnds(of: tasks.map(\.record), until: condition, timeout: timeout)
    return (tasks.filter(\.isDone), tasks.filter { !$0.isDone })
}

/// Waits until some tasks of different types have ended. Otherwise like
/// ``wait(for:until:timeout:)->([LoopTask<Success>],_)``.
@discardableResult
public func wait(
    for tasks: some Sequence<TaskHandle>, until condition: WaitCondition = .allCompleted,
    timeout: Duration? = nil
) async throws -> (done: [TaskHandle], pending: [TaskHandle]) {
    let tasks = Array(tasks)
    try await waitForEnds(of: tasks.map(\.record), until: condition, timeout: timeout)
    return (tasks.filter(\.isDone), tasks.filter { !$0.isDone })
}

private func waitForEnds(
    of records: [TaskRecord], until condition: WaitCondition, timeout: Duration?
) async throws {
    let engine = EventLoop.current(for: "wait(for:)").engine
    for record in records { record.assertMayBeAwaited(on: engine, by: "wait(for:)") }
    let progress = WaitProgress(condition, of: records)
    if progress.isOver { return try await engine.spendBudget() }
    let token = engine.reserveWait(for: .task)
    let calls = records.filter { !$0.isDone }.map { record in
        record.addCallback {
            progress.ended(record)
            if progress.isOver { engine.wake(token) }
        }
    }
    let timer = timeout.map {
        engine.reactor.startTimer(
            at: engine.reactor.now.advanced(by: max($0, .zero)), token: token.rawValue)
    }
    let wakeup = await engine.park(token)
    // A task may live on for long, and be waited for often.
    for call in calls { call.cancel() }
    if let timer { engine.reactor.cancelTimer(timer) }
    if wakeup == .cancelled { throw CancellationError() }
}

/// How near a wait is to its end.
private final class WaitProgress {
    private let condition: WaitCondition
    private var running: Int
    private var hasEnded = false
    private var hasFailed = false

    init(_ condition: WaitCondition, of records: [TaskRecord]) {
        self.condition = condition
        running = records.count
        for record in records where record.isDone { ended(record) }
    }

    func ended(_ record: TaskRecord) {
        running -= 1
        hasEnded = true
        if let failure = record.failure, !(failure is CancellationError) { hasFailed = true }
    }

    var isOver: Bool {
        switch condition {
        case .allCompleted: running == 0
        case .firstCompleted: running == 0 || hasEnded
        case .firstError: running == 0 || hasFailed
        }
    }
}
