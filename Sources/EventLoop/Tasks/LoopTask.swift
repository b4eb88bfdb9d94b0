import Synchronization

/// What a loop knows of a task that it owns, whatever the task returns.
///
/// Held by the loop until the task has ended, and by the task's handle. Apart from the handle because code
/// that is generic over a user's type costs a look-up of that type's metadata at each step.
final class TaskRecord: TaskWait, @unchecked Sendable {
    private struct State {
        var cancelTask: (@Sendable () -> Void)?
        var isCancelled = false
        var isDone = false
        var isRetrieved = false
        var failure: (any Error)?
    }

    let name: String?
    let fileID: String
    let line: UInt
    private let state = Mutex(State())
    /// Where the loop keeps it. Set before the task runs, and used by the loop's thread.
    private var ownership: UInt64 = 0

    init(engine: Engine, name: String?, fileID: String, line: UInt) {
        self.name = name
        self.fileID = fileID
        self.line = line
        super.init(engine: engine)
    }

    deinit {
        let lost: (any Error)? = state.withLock { $0.isRetrieved ? nil : $0.failure }
        guard let lost, !(lost is CancellationError) else { return }
        engine.report(UnhandledError(error: lost, taskName: name, fileID: fileID, line: line))
    }

    /// The task exists. From here to its end the loop keeps the record.
    func begin(cancelTask: @escaping @Sendable () -> Void) {
        state.withLock { if !$0.isDone { $0.cancelTask = cancelTask } }
        ownership = engine.tasks.insert(self)
        if engine.isWindingUp { cancel() }
    }

    /// The task has ended. On the loop's thread.
    func end(with failure: (any Error)?) {
        state.withLock {
            $0.isDone = true
            $0.failure = failure
            $0.cancelTask = nil
        }
        engine.tasks.remove(ownership)
    }

    func cancel() {
        let cancelTask = state.withLock { state in
            state.isCancelled = true
            return state.cancelTask
        }
        guard let cancelTask else { return }
        cancelTask()
        cancelWait()
    }

    func markRetrieved() { state.withLock { $0.isRetrieved = true } }

    var isDone: Bool { state.withLock { $0.isDone } }

    var isCancelled: Bool { state.withLock { $0.isCancelled } }
}

/// A task that its loop owns: it lives until it ends, whether or not anybody keeps this handle.
///
/// An error that it ends with is not lost: whoever awaits ``value`` or ``result`` gets it; if nobody did
/// by the time the last handle is gone, the loop's error handler gets it, with the task's name and the
/// place where it was spawned. A cancellation is not such an error.
///
/// The handle may be used from any thread and any task.
public final class LoopTask<Success: Sendable>: Sendable, CustomStringConvertible {
    private let record: TaskRecord
    private let task: Task<Success, any Error>

    fileprivate init(
        on loop: EventLoop, name: String?, fileID: String, line: UInt,
        _ operation: sending @escaping @isolated(any) () async throws -> Success
    ) {
        let record = TaskRecord(engine: loop.engine, name: name, fileID: fileID, line: line)
        let task = startTask(on: loop, name: name) {
            let task = record.enter()
            defer { record.leave(task) }
            do {
                let value = try await operation()
                record.end(with: nil)
                return value
            } catch {
                record.end(with: error)
                throw error
            }
        }
        record.begin(cancelTask: { task.cancel() })
        self.record = record
        self.task = task
    }

    /// The name that it was spawned with.
    public var name: String? { record.name }

    /// Whether it has returned or thrown.
    public var isDone: Bool { record.isDone }

    /// Whether ``cancel()`` was called.
    public var isCancelled: Bool { record.isCancelled }

    /// Asks the task to end: its next await in this library, or the one under way, throws
    /// `CancellationError`. A task that catches that error may go on and clean up.
    public func cancel() {
        record.cancel()
    }

    /// What the task returned, once it has ended.
    ///
    /// When the awaiting task is cancelled, so is this one, and the await lasts until it has ended
    /// (asyncio's rule for `await task`).
    ///
    /// - Throws: What the task threw.
    public var value: Success {
        get async throws {
            record.markRetrieved()
            // Nothing to cancel, so no handler for it.
            if record.isDone { return try await task.value }
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                cancel()
            }
        }
    }

    /// How the task ended. Otherwise like ``value``.
    public var result: Result<Success, any Error> {
        get async {
            record.markRetrieved()
            return await withTaskCancellationHandler {
                await task.result
            } onCancel: {
                cancel()
            }
        }
    }

    public var description: String {
        "task \(name ?? "(unnamed)") spawned at \(record.fileID):\(record.line)"
    }
}

extension EventLoop {
    /// Starts a task that this loop owns; asyncio's create_task. It takes its first step in a later turn.
    ///
    /// The operation is nonisolated unless it says otherwise. Within a loop's task, the function
    /// ``spawn(name:fileID:line:_:)`` does the same and keeps the isolation of the place where it is written.
    ///
    /// - Parameter name: How reports call it.
    /// - Returns: The handle to await or cancel it by; the task goes on without it.
    /// - Precondition: No other thread runs the loop.
    @discardableResult
    public func spawn<Success: Sendable>(
        name: String? = nil, fileID: String = #fileID, line: UInt = #line,
        _ operation: sending @escaping @isolated(any) () async throws -> Success
    ) -> LoopTask<Success> {
        engine.assertMayBeUsedHere("spawn")
        return LoopTask(on: self, name: name, fileID: fileID, line: line, operation)
    }
}

/// Starts a task that this thread's loop owns: ``EventLoop/spawn(name:fileID:line:_:)`` on the current loop,
/// with the isolation of the place where the operation is written.
///
/// - Precondition: A loop runs on this thread.
@discardableResult
public func spawn<Success: Sendable>(
    name: String? = nil, fileID: String = #fileID, line: UInt = #line,
    @_inheritActorContext @_implicitSelfCapture
    _ operation: sending @escaping @isolated(any) () async throws -> Success
) -> LoopTask<Success> {
    EventLoop.current(for: "spawn").spawn(name: name, fileID: fileID, line: line, operation)
}
