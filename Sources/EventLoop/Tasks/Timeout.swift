/// Time was up before the work was done.
public struct TimeoutError: Error, Equatable, CustomStringConvertible {
    /// For code that offers the like, and for comparing.
    public init() {}

    public var description: String { "Time was up before the work was done." }
}

/// Runs `body` and cancels it when it takes longer than `duration`; asyncio's timeout and wait_for.
///
///     let page = try await withTimeout(.seconds(5)) { try await fetch(url) }
///
/// The body runs at once, as a child of the calling task, and is awaited whatever happens: when this throws,
/// nothing of it is left. A body that catches its cancellation and returns a value has its value returned.
///
/// - Parameter duration: At zero or less the body starts cancelled: it gets as far as its first await. Nil:
///   no time limit.
/// - Returns: What the body returned.
/// - Throws: ``TimeoutError`` when the body ended with a `CancellationError` because time was up; what the
///   body threw otherwise. A cancellation of the caller is never taken for a timeout, also when both come at
///   once, and timeouts may be nested: each is told by its own ``TimeoutError``.
/// - Precondition: A loop runs on this thread.
@inlinable
public func withTimeout<Value>(
    _ duration: Duration?, _ body: @escaping () async throws -> Value
) async throws -> Value {
    try await TimedChild(after: duration, on: currentLoop("withTimeout")).runInTime(body)
}

/// Runs `body` and cancels it after `duration`, or at the time that the body sets with
/// ``Timeout/reschedule(to:)`` meanwhile. Otherwise like ``withTimeout(_:_:)-(_,()->Value)``.
@inlinable
public func withTimeout<Value>(
    _ duration: Duration?, _ body: @escaping (Timeout) async throws -> Value
) async throws -> Value {
    let child = TimedChild(after: duration, on: currentLoop("withTimeout"))
    return try await child.runInTime { try await body(Timeout(of: child)) }
}

/// Runs `body` and cancels it at `deadline` on the loop's clock; asyncio's timeout_at. Otherwise like
/// ``withTimeout(_:_:)-(_,()->Value)``.
@inlinable
public func withDeadline<Value>(
    _ deadline: EventLoop.Instant, _ body: @escaping () async throws -> Value
) async throws -> Value {
    try await TimedChild(at: deadline, on: currentLoop("withDeadline")).runInTime(body)
}

/// Runs `body` and cancels it at `deadline`, or at the time that the body sets with
/// ``Timeout/reschedule(to:)`` meanwhile. Otherwise like ``withTimeout(_:_:)-(_,()->Value)``.
@inlinable
public func withDeadline<Value>(
    _ deadline: EventLoop.Instant, _ body: @escaping (Timeout) async throws -> Value
) async throws -> Value {
    let child = TimedChild(at: deadline, on: currentLoop("withDeadline"))
    return try await child.runInTime { try await body(Timeout(of: child)) }
}

/// Waits for a task's value; when that takes longer than `timeout`, cancels the task and waits for its end.
/// asyncio's wait_for.
///
/// - Parameter timeout: At zero or less, only the value of a task that has ended is returned. Nil: no limit.
/// - Throws: ``TimeoutError`` when the task ended with a `CancellationError` because time was up; what the
///   task threw otherwise. When the caller is cancelled, so is the task, and this lasts until it has ended.
/// - Precondition: A loop runs on this thread.
public func waitFor<Value: Sendable>(_ task: LoopTask<Value>, timeout: Duration?) async throws -> Value {
    try await withTimeout(timeout) { try await task.value }
}

/// The time limit of a body that runs under ``withTimeout(_:_:)-(_,(Timeout)->Value)``.
///
/// Bound to its loop's thread.
public struct Timeout: Sendable {
    @usableFromInline let child: TimedChild

    @usableFromInline
    init(of child: TimedChild) {
        self.child = child
    }

    /// When time is up; never without a limit.
    public var deadline: EventLoop.Instant { child.deadline }

    /// Whether time was up before the body had ended.
    public var isExpired: Bool { child.isExpired }

    /// Sets another time limit; asyncio's reschedule.
    ///
    /// - Parameter deadline: One that has passed cancels the body at its next await; never takes the limit
    ///   away.
    /// - Throws: ``TimeoutError`` when time was up already: the body is cancelled, and stays so.
    /// - Precondition: The body has not ended.
    public func reschedule(to deadline: EventLoop.Instant) throws {
        child.engine.assertOnLoop("Timeout.reschedule")
        try child.reschedule(to: deadline)
    }

    /// Sets the time limit to `duration` from now. Otherwise like ``reschedule(to:)``.
    public func reschedule(after duration: Duration) throws {
        try reschedule(to: child.engine.reactor.now.advanced(by: duration))
    }
}
