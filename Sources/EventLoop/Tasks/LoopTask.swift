import Synchronization

/// What a loop must know of its tasks, whatever they return.
protocol OwnedTask: AnyObject, Sendable {
    func cancel()
}

/// A task that its loop owns: it lives until it ends, whether or not anybody keeps this handle.
///
/// An error that it ends with is not lost: whoever awaits ``value`` or ``result`` gets it; if nobody did
/// by the time the last handle is gone, the loop's error handler gets it, with the task's name and the
/// place where it was spawned. A cancellation is not such an error.
///
/// The handle may be used from any thread and any task.
public final class LoopTask<Success: Sendable>: OwnedTask, CustomStringConvertible {
    private struct State {
        var task: Task<Success, any Error>?
        var isCancelled = false
        var isDone = false
        var failure: (any Error)?
        var isRetrieved = false
    }

    /// The name that it was spawned with.
    public let name: String?
    private let fileID: String
    private let line: UInt
    private let engine: Engine
    private let state = Mutex(State())

    fileprivate init(
        on loop: EventLoop, name: String?, fileID: String, line: UInt,
        _ operation: sending @escaping @isolated(any) () async throws -> Success
    ) {
        self.name = name
        self.fileID = fileID
        self.line = line
        engine = loop.engine
        engine.tasks[ObjectIdentifier(self)] = self
        // Without process mode the runtime would run the task on its own threads, but for the preference.
        let preference: (any TaskExecutor)? = loop.isProcessWide ? nil : loop.taskExecutor
        let task = Task(name: name, executorPreference: preference) { [unowned self] in
            defer { self.leaveLoop() }
            do {
                let value = try await operation()
                self.end(with: nil)
                return value
            } catch {
                self.end(with: error)
                throw error
            }
        }
        state.withLock { $0.task = task }
        if engine.isWindingUp { cancel() }
    }

    deinit {
        let lost: (any Error)? = state.withLock { $0.isRetrieved ? nil : $0.failure }
        guard let lost, !(lost is CancellationError) else { return }
        engine.report(UnhandledError(error: lost, taskName: name, fileID: fileID, line: line))
    }

    private func end(with error: (any Error)?) {
        state.withLock {
            $0.isDone = true
            $0.failure = error
        }
    }

    /// The loop no longer keeps it alive. The task may be the last to hold it, so this comes last.
    private func leaveLoop() {
        engine.tasks[ObjectIdentifier(self)] = nil
    }

    /// Whether it has returned or thrown.
    public var isDone: Bool { state.withLock { $0.isDone } }

    /// Whether ``cancel()`` was called.
    public var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Asks the task to end: its next await in this library, or the one under way, throws
    /// `CancellationError`. A task that catches that error may go on and clean up.
    public func cancel() {
        state.withLock {
            $0.isCancelled = true
            return $0.task
        }?.cancel()
    }

    /// What the task returned, once it has ended.
    ///
    /// When the awaiting task is cancelled, so is this one, and the await lasts until it has ended
    /// (asyncio's rule for `await task`).
    ///
    /// - Throws: What the task threw.
    public var value: Success {
        get async throws { try await result.get() }
    }

    /// How the task ended. Otherwise like ``value``.
    public var result: Result<Success, any Error> {
        get async {
            let task = state.withLock {
                $0.isRetrieved = true
                return $0.task!
            }
            return await withTaskCancellationHandler {
                await task.result
            } onCancel: {
                self.cancel()
            }
        }
    }

    public var description: String {
        "task \(name ?? "(unnamed)") spawned at \(fileID):\(line)"
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
