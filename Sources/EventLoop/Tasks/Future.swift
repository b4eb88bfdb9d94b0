/// The writing side of a ``Future``: whoever makes the result keeps it, and sets it once.
///
/// Bound to its loop's thread; use from another traps. To answer from elsewhere, set it in
/// ``EventLoop/callSoonThreadSafe(_:)``.
public final class Promise<Value> {
    /// The reading side.
    public let future: Future<Value>

    /// - Precondition: A loop runs on this thread, or `loop` is given.
    public init(on loop: EventLoop? = nil) {
        future = Future(engine: (loop ?? EventLoop.current(for: "Promise()")).engine)
    }

    deinit {
        // Nobody can set it any more: who waits must not wait forever.
        future.abandon()
    }

    /// Sets the value. Does nothing when the future was cancelled.
    ///
    /// - Precondition: No result is set yet.
    public func succeed(_ value: Value) {
        future.resolve(.success(value))
    }

    /// Sets the error. Does nothing when the future was cancelled.
    ///
    /// - Precondition: No result is set yet.
    public func fail(_ error: any Error) {
        future.resolve(.failure(error))
    }
}

extension Promise where Value == Void {
    /// Sets the result of a promise that carries no value.
    public func succeed() {
        succeed(())
    }
}

/// What an await gets from a future whose promise was dropped before anything was set.
public struct AbandonedPromise: Error, CustomStringConvertible {
    public var description: String { "The promise was dropped before its result was set." }
}

/// A result that is not there yet: several tasks may await it, and callbacks may be told.
///
/// Bound to its loop's thread; use from another traps.
public final class Future<Value> {
    private enum State {
        case pending(callbacks: [(Result<Value, any Error>) -> Void])
        case done(Result<Value, any Error>, isCancelled: Bool)
    }

    private let engine: Engine
    private let waiters = WaitQueue()
    private var state = State.pending(callbacks: [])

    fileprivate init(engine: Engine) {
        self.engine = engine
    }

    /// The value, at once when it is set, or as soon as it is.
    ///
    /// When the awaiting task is cancelled, the await ends, and the future stays for the others.
    ///
    /// - Throws: The error that was set; `CancellationError` when the future or the task was cancelled;
    ///   ``AbandonedPromise``.
    public var value: Value {
        get async throws {
            engine.assertOnLoop("Future.value")
            while true {
                if case .done(let result, _) = state { return try result.get() }
                if await engine.suspend(in: waiters) == .cancelled { throw CancellationError() }
            }
        }
    }

    /// The result, if it is set.
    public var result: Result<Value, any Error>? {
        engine.assertMayBeUsedHere("Future.result")
        if case .done(let result, _) = state { return result }
        return nil
    }

    public var isDone: Bool { result != nil }

    /// Whether ``cancel()`` came before a result.
    public var isCancelled: Bool {
        if case .done(_, let isCancelled) = state { return isCancelled }
        return false
    }

    /// Sets a `CancellationError` as the result, if there is none yet. The promise's later result is ignored.
    ///
    /// - Returns: Whether it had an effect.
    @discardableResult
    public func cancel() -> Bool {
        engine.assertMayBeUsedHere("Future.cancel()")
        guard case .pending = state else { return false }
        finish(.failure(CancellationError()), isCancelled: true)
        return true
    }

    /// Calls `callback` with the result on the loop, in the turn after it is set; callbacks are called in
    /// the order in which they were added, also when the result is there already.
    public func addDoneCallback(_ callback: @escaping (Result<Value, any Error>) -> Void) {
        engine.assertMayBeUsedHere("Future.addDoneCallback")
        switch state {
        case .pending(var callbacks):
            callbacks.append(callback)
            state = .pending(callbacks: callbacks)
        case .done(let result, _):
            engine.schedule(ScheduledCall(engine: engine) { callback(result) })
        }
    }

    fileprivate func resolve(_ result: Result<Value, any Error>) {
        engine.assertMayBeUsedHere("Promise.succeed or fail")
        if case .done(_, let isCancelled) = state {
            precondition(isCancelled, "A promise is set once: this one has a result already.")
            return
        }
        finish(result, isCancelled: false)
    }

    /// The promise is gone, perhaps on another thread, from which the state must not even be read.
    fileprivate func abandon() {
        if engine.isRunning && !engine.isOnLoopThread {
            nonisolated(unsafe) let future = self
            engine.post(.perform { future.finish(.failure(AbandonedPromise()), isCancelled: false) })
        } else {
            finish(.failure(AbandonedPromise()), isCancelled: false)
        }
    }

    private func finish(_ result: Result<Value, any Error>, isCancelled: Bool) {
        guard case .pending(let callbacks) = state else { return }
        state = .done(result, isCancelled: isCancelled)
        for callback in callbacks { engine.schedule(ScheduledCall(engine: engine) { callback(result) }) }
        engine.wakeAll(in: waiters)
    }
}

// Every use checks the thread, so handing them around among a loop's tasks is safe.
extension Promise: @unchecked Sendable where Value: Sendable {}
extension Future: @unchecked Sendable where Value: Sendable {}
