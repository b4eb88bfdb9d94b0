/// Runs `body` with a scope in which it can start tasks, and returns when the body and all of them have
/// ended; asyncio's TaskGroup, trio's nursery.
///
///     try await withTaskScope { scope in
///         scope.spawn { try await serve(first) }
///         scope.spawn { try await serve(second) }
///     }
///
/// On the first error, of a task or of the body, all the others are cancelled, the body too, and awaited. A
/// task that ends with a `CancellationError` is no error. Cancelling the caller cancels the body, and when
/// it has ended, the tasks.
///
/// - Returns: What the body returned, once all tasks have ended.
/// - Throws: ``TaskScopeError`` with every error in the order in which they came, or, without any,
///   `CancellationError` when the body ended with one.
/// - Precondition: A loop runs on this thread.
@discardableResult  // A body of one expression, `scope.spawn { … }`, returns the task.
public func withTaskScope<Value>(
    _ body: @escaping (TaskScope) async throws -> Value
) async throws -> Value {
    let scope = TaskScope(on: EventLoop.current(for: "withTaskScope"))
    return try await scope.run { try await body(scope) }
}

/// The same for a body that returns nothing, whose end by ``TaskScope/cancel()`` is no error.
public func withTaskScope(_ body: @escaping (TaskScope) async throws -> Void) async throws {
    let scope = TaskScope(on: EventLoop.current(for: "withTaskScope"))
    do {
        try await scope.run { try await body(scope) }
    } catch is CancellationError where scope.isCancelled && !Task.isCancelled {}
}

/// All that went wrong in a ``TaskScope``.
public struct TaskScopeError: Error, CustomStringConvertible {
    /// The errors of the tasks and of the body, in the order in which they came; at least one.
    public let errors: [any Error]

    public var description: String {
        "\(errors.count) of a scope's tasks failed: " + errors.map { "\($0)" }.joined(separator: "; ")
    }
}

/// Where ``withTaskScope(_:)-((TaskScope)->Value)`` lets its body start tasks.
///
/// Bound to its loop's thread.
public final class TaskScope: @unchecked Sendable {
    private let loop: EventLoop
    private let body: ChildTask
    private var running: [UInt64: TaskRecord] = [:]
    private let emptied = WaitQueue(for: .scopedTasks)
    private var errors: [any Error] = []
    private var isAborting = false
    private var isOver = false
    private var wasCancelled = false

    fileprivate init(on loop: EventLoop) {
        self.loop = loop
        body = ChildTask(engine: loop.engine, function: "withTaskScope")
    }

    /// Whether ``cancel()`` was called.
    public var isCancelled: Bool {
        loop.engine.assertMayBeUsedHere("TaskScope.isCancelled")
        return wasCancelled
    }

    /// Starts a task that the scope waits for. It takes its first step in a later turn, unless it is eager.
    ///
    /// In a scope that is being cancelled it starts cancelled.
    ///
    /// - Parameters: as of the free function `spawn`.
    /// - Returns: The task, to await its value or to cancel it alone. Its error is the scope's, whether or
    ///   not it is awaited.
    /// - Precondition: The scope has not ended.
    @discardableResult
    public func spawn<Success: Sendable>(
        name: String? = nil, eager: Bool = false, fileID: String = #fileID, line: UInt = #line,
        @_inheritActorContext @_implicitSelfCapture
        _ operation: sending @escaping @isolated(any) () async throws -> Success
    ) -> LoopTask<Success> {
        loop.engine.assertOnLoop("TaskScope.spawn")
        precondition(!isOver, "A task was spawned in a scope that has ended: start it inside withTaskScope.")
        let record = TaskOutcome<Success>(on: loop, name: name, fileID: fileID, line: line)
        running[record.id] = record
        record.onEnd = { self.ended($0, with: $1) }
        // One that is started eagerly may end the scope, which then cancels it with the others.
        let startsCancelled = isAborting
        record.start(on: loop, isEager: eager && !startsCancelled, operation)
        if startsCancelled { record.cancel() }
        return LoopTask(record: record)
    }

    /// Cancels all tasks and the body. Tasks that are started from now on start cancelled. Calling it again
    /// does nothing.
    public func cancel() {
        loop.engine.assertOnLoop("TaskScope.cancel")
        wasCancelled = true
        abort()
    }

    // MARK: - Its life

    fileprivate func run<Value>(_ operation: @escaping () async throws -> Value) async throws -> Value {
        let outcome = await body.run(operation)
        if case .failure(let failure) = outcome {
            if !(failure is CancellationError) { errors.append(failure) }
            abort()
        }
        await waitForTasks()
        isOver = true
        if !errors.isEmpty { throw TaskScopeError(errors: errors) }
        return try outcome.get()
    }

    private func waitForTasks() async {
        var isCallerCancelled = false
        // More than once: who hears of the last task's end first may start another.
        while !running.isEmpty {
            if isCallerCancelled {
                await loop.engine.suspendUncancellably(in: emptied)
            } else if await loop.engine.suspend(in: emptied) == .cancelled {
                isCallerCancelled = true
                abort()
            }
        }
    }

    private func ended(_ record: TaskRecord, with failure: (any Error)?) {
        running[record.id] = nil
        record.markRetrieved()
        if let failure, !(failure is CancellationError) {
            errors.append(failure)
            abort()
        }
        if running.isEmpty { loop.engine.wakeAll(in: emptied) }
    }

    private func abort() {
        guard !isAborting else { return }
        isAborting = true
        body.cancel()
        for record in running.values.sorted(by: { $0.id < $1.id }) { record.cancel() }
    }
}
