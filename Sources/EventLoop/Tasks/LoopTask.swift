/// A task that its loop owns: it lives until it ends, whether or not anybody keeps this handle.
///
/// An error that it ends with is not lost: whoever awaits ``value`` or ``result`` gets it; if nobody did
/// by the time the last handle is gone, the loop's error handler gets it, with the task's name and the
/// place where it was spawned. A cancellation is not such an error.
///
/// Its members may be used from any thread, unless they say otherwise.
public struct LoopTask<Success: Sendable>: Sendable {
    @usableFromInline let record: TaskOutcome<Success>

    @inlinable
    init(record: TaskOutcome<Success>) {
        self.record = record
    }

    /// The task without its result's type.
    public var handle: TaskHandle { TaskHandle(record: record) }

    /// The name that it was spawned with.
    public var name: String? { record.name }

    /// Whether it has returned or thrown.
    public var isDone: Bool { record.isDone }

    /// Whether ``cancel()`` was called. Unlike asyncio's `cancelled()`, it says nothing about how the task
    /// ended.
    public var isCancelled: Bool { record.cancellationCount > 0 }

    /// Asks the task to end: its next await in this library, or the one under way, throws
    /// `CancellationError`. A task that catches that error may go on and clean up; its later awaits in this
    /// library throw again, for a task in Swift stays cancelled. (asyncio's tasks hear of each request once.)
    public func cancel() {
        record.cancel()
    }

    /// What the task returned, once it has ended.
    ///
    /// When the awaiting task is cancelled, so is this one, and the await lasts until it has ended
    /// (asyncio's rule for `await task`); see ``shield(_:)`` for a wait that leaves the task alone.
    ///
    /// - Throws: What the task threw.
    /// - Precondition: The task does not await itself.
    public var value: Success {
        @inlinable get async throws {
            await record.waitUntilEnded()
            return try record.result!.get()
        }
    }

    /// How the task ended. Otherwise like ``value``.
    public var result: Result<Success, any Error> {
        get async {
            await record.waitUntilEnded()
            return record.result!
        }
    }

    /// How the task ended, if it has: asyncio's `result()` and `exception()` without their InvalidStateError.
    public var resultIfDone: Result<Success, any Error>? {
        guard record.isDone else { return nil }
        record.markRetrieved()
        return record.result
    }

    /// Calls `callback` with the result on the loop, in the turn after the task's end; callbacks are called
    /// in the order in which they were added, also when the task has ended already.
    ///
    /// Traps while another thread runs the loop.
    ///
    /// - Returns: The call: cancelling it removes the callback, and leaves nothing of it behind.
    @discardableResult
    public func addDoneCallback(
        _ callback: @escaping (Result<Success, any Error>) -> Void
    ) -> ScheduledCall {
        record.engine.assertMayBeUsedHere("addDoneCallback")
        return record.addCallback { [record] in
            record.markRetrieved()
            callback(record.result!)
        }
    }
}

extension LoopTask: Hashable, CustomStringConvertible {
    public static func == (left: LoopTask, right: LoopTask) -> Bool { left.record === right.record }

    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(record)) }

    public var description: String { handle.description }
}

extension EventLoop {
    /// Starts a task that this loop owns; asyncio's create_task. It takes its first step in a later turn.
    ///
    /// The operation is nonisolated unless it says otherwise. Within a loop's task, the function
    /// ``spawn(name:eager:fileID:line:_:)`` does the same and keeps the isolation of the place where it is
    /// written.
    ///
    /// - Parameters:
    ///   - name: How reports call it.
    ///   - eager: The task takes its first step here and now, until it first suspends; asyncio's eager
    ///     tasks. It must be called by a task of the loop, and has no effect on an operation that is
    ///     isolated to another actor than the caller.
    /// - Returns: The handle to await or cancel it by; the task goes on without it.
    /// - Precondition: No other thread runs the loop.
    @discardableResult
    @inlinable
    public func spawn<Success: Sendable>(
        name: String? = nil, eager: Bool = false, fileID: String = #fileID, line: UInt = #line,
        _ operation: sending @escaping @isolated(any) () async throws -> Success
    ) -> LoopTask<Success> {
        checkMaySpawn(isEager: eager)
        let record = TaskOutcome<Success>(on: self, name: name, fileID: fileID, line: line)
        record.start(on: self, isEager: eager, operation)
        return LoopTask(record: record)
    }

    @usableFromInline
    func checkMaySpawn(isEager: Bool) {
        engine.assertMayBeUsedHere("spawn")
        if isEager { engine.assertOnLoop("spawn(eager: true)") }
    }
}

/// Starts a task that this thread's loop owns: ``EventLoop/spawn(name:eager:fileID:line:_:)`` on the current
/// loop, with the isolation of the place where the operation is written.
///
/// - Precondition: A loop runs on this thread.
@discardableResult
@inlinable
public func spawn<Success: Sendable>(
    name: String? = nil, eager: Bool = false, fileID: String = #fileID, line: UInt = #line,
    @_inheritActorContext @_implicitSelfCapture
    _ operation: sending @escaping @isolated(any) () async throws -> Success
) -> LoopTask<Success> {
    currentLoop("spawn").spawn(name: name, eager: eager, fileID: fileID, line: line, operation)
}
