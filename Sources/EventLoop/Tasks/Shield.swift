/// Waits for a task's value without passing one's own cancellation on to it; asyncio's shield.
///
/// When the caller is cancelled, this ends at once with a `CancellationError`, and the task goes on; with
/// ``LoopTask/value`` it would be cancelled, too. Keep the task to wait for it again, or to look at its
/// error, which is reported if nobody does.
///
///     let saving = spawn { try await save(document) }
///     try await shield(saving)
///
/// A ``Future`` needs no shield: who awaits one and is cancelled leaves it to the others.
///
/// - Returns: What the task returned.
/// - Throws: What the task threw, which is a `CancellationError` when it was cancelled itself;
///   `CancellationError` when the caller was. In the latter case `Task.isCancelled` is true.
/// - Precondition: Called on the task's loop, and not by the task itself.
@discardableResult
public func shield<Success: Sendable>(_ task: LoopTask<Success>) async throws -> Success {
    try await task.record.waitUntilEndedOrCancelled()
    return try task.record.result!.get()
}

/// Runs an operation that the caller's cancellation does not reach: as a task of the loop, which goes on when
/// the caller has gone. Its error is reported if nobody is there to get it.
///
///     try await shield { try await connection.sendGoodbye() }
///
/// It starts also when the caller is cancelled already, and this throws at once then. (asyncio's rule.)
///
/// - Parameter name: How reports call the task.
/// - Returns: What the operation returned.
/// - Throws: What the operation threw; `CancellationError` when the caller was cancelled.
/// - Precondition: A loop runs on this thread.
@discardableResult
public func shield<Success: Sendable>(
    name: String? = nil, fileID: String = #fileID, line: UInt = #line,
    @_inheritActorContext @_implicitSelfCapture
    _ operation: sending @escaping @isolated(any) () async throws -> Success
) async throws -> Success {
    let loop = EventLoop.current(for: "shield")
    return try await shield(loop.spawn(name: name, fileID: fileID, line: line, operation))
}
