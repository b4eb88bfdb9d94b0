/// Tasks in the order in which they end; asyncio's as_completed.
///
///     for try await task in asCompleted([first, second, third]) {
///         print(task.name ?? "", try await task.value)
///     }
///
/// Each comes when it has ended, so its value is there at once, and one that failed does not end the
/// iteration. Those that have ended before come first, in the order in which they were given. Leaving the
/// loop leaves the tasks that remain alone, and nothing of the iteration stays with them.
///
/// To run one operation for many elements, and to be sure that nothing is left running, use
/// ``asCompleted(_:limit:_:each:)``.
///
/// - Parameters:
///   - tasks: Tasks of the loop that runs on this thread.
///   - timeout: How long the iteration may take as a whole, from its start; nil: no limit. When time is up,
///     the next await throws ``TimeoutError``, unless there is a task that has ended. The tasks that remain
///     are not cancelled.
/// - Precondition: It is iterated on the tasks' loop, by a task that is not among them.
public func asCompleted<Success: Sendable>(
    _ tasks: some Sequence<LoopTask<Success>>, timeout: Duration? = nil
) -> CompletedTasks<Success> {
    CompletedTasks(tasks: Array(tasks), timeout: timeout)
}

/// What ``asCompleted(_:timeout:)`` returns. Each iteration goes through all tasks.
public struct CompletedTasks<Success: Sendable>: AsyncSequence, Sendable {
    fileprivate let tasks: [LoopTask<Success>]
    fileprivate let timeout: Duration?

    public struct AsyncIterator: AsyncIteratorProtocol {
        private let tasks: [LoopTask<Success>]
        private let ends: TaskEnds

        fileprivate init(_ sequence: CompletedTasks) {
            tasks = sequence.tasks
            ends = TaskEnds(of: tasks.map(\.record), timeout: sequence.timeout)
        }

        /// The next task that has ended; nil after the last.
        ///
        /// - Throws: ``TimeoutError``; `CancellationError` when the caller was cancelled, and the task that
        ///   would have come is still to come.
        public mutating func next() async throws -> LoopTask<Success>? {
            guard let index = try await ends.next() else { return nil }
            return tasks[index]
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> LoopTask<Success>? {
            try await next()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(self)
    }
}

/// Tells of some tasks which one ended next, by its position.
private final class TaskEnds {
    /// What the callbacks know: it must not keep the iteration alive, whose end removes them.
    private final class Order {
        var ended: [Int] = []
        let waiters = WaitQueue(for: .task)
    }

    private let engine: Engine
    private let deadline: EventLoop.Instant?
    private let order = Order()
    private let records: [TaskRecord]
    private var taken = 0
    private var calls: [ScheduledCall] = []

    init(of records: [TaskRecord], timeout: Duration?) {
        let engine = EventLoop.current(for: "asCompleted").engine
        self.engine = engine
        self.records = records
        deadline = timeout.map { engine.reactor.now.advanced(by: max($0, .zero)) }
        for (index, record) in records.enumerated() {
            record.assertMayBeAwaited(on: engine, by: "asCompleted")
            if record.isDone {
                order.ended.append(index)
            } else {
                calls.append(
                    record.addCallback { [order] in
                        order.ended.append(index)
                        engine.wakeFirst(in: order.waiters)
                    })
            }
        }
    }

    deinit {
        // The last reference may go on another thread.
        let calls = calls
        if engine.isRunning {
            engine.perform { for call in calls { call.cancel() } }
        } else {
            for call in calls { call.cancel() }
        }
    }

    func next() async throws -> Int? {
        engine.assertOnLoop("asCompleted")
        guard taken < records.count else { return nil }
        if taken < order.ended.count {
            try await engine.spendBudget()
        } else {
            try await waitForOne()
        }
        defer { taken += 1 }
        return order.ended[taken]
    }

    private func waitForOne() async throws {
        if let deadline, deadline <= engine.reactor.now { return try await lookOnceMore() }
        let token = engine.reserveWait(for: .task)
        engine.waiters.enqueue(token, in: order.waiters)
        let timer = deadline.map { engine.reactor.startTimer(at: $0, token: token.rawValue) }
        let wakeup = await engine.park(token)
        if let timer { engine.reactor.cancelTimer(timer) }
        if wakeup == .cancelled { throw CancellationError() }
        if taken == order.ended.count { try await lookOnceMore() }
    }

    /// Time is up, but of a task that has ended in this turn word comes in the next.
    private func lookOnceMore() async throws {
        while order.ended.count < records.count(where: \.isDone) { await yield() }
        if taken == order.ended.count { throw TimeoutError() }
    }
}
