/// The writing side of a ``Future``: whoever makes the result keeps it, and sets it once.
///
/// Bound to its loop's thread; use from another traps. To answer from elsewhere, use
/// ``completeThreadSafe(with:)`` and its like.
public final class Promise<Value> {
    /// The reading side.
    public let future: Future<Value>

    /// - Precondition: A loop runs on this thread, or `loop` is given.
    public init(on loop: EventLoop? = nil, fileID: String = #fileID, line: UInt = #line) {
        let loop = loop ?? EventLoop.current(for: "Promise()")
        future = Future(engine: loop.engine, fileID: fileID, line: line)
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

    /// Sets the value or the error. Does nothing when the future was cancelled.
    ///
    /// - Precondition: No result is set yet.
    public func complete(with result: Result<Value, any Error>) {
        future.resolve(result)
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
/// An error that nobody was told of by the time the future is gone is reported to the loop's error handler.
///
/// Bound to its loop's thread; use from another traps.
public final class Future<Value> {
    private let completion: Completion
    private var outcome: Result<Value, any Error>?
    private var hasBeenCancelled = false
    /// Whether somebody was told of an error, who will see to it.
    private var isRetrieved = false
    /// How a future hears of those that it was made of, as long as it waits for them.
    private var sources: [ScheduledCall] = []
    let fileID: String
    let line: UInt

    init(engine: Engine, fileID: String, line: UInt) {
        completion = Completion(engine: engine, reason: .future)
        self.fileID = fileID
        self.line = line
    }

    deinit {
        guard !isRetrieved, !hasBeenCancelled, case .failure(let error)? = outcome else { return }
        if error is AbandonedPromise || error is CancellationError { return }
        completion.engine.report(UnhandledError(.futureFailed, error, name: nil, fileID: fileID, line: line))
    }

    var engine: Engine { completion.engine }

    // MARK: - Reading

    /// The value, at once when it is set, or as soon as it is.
    ///
    /// When the awaiting task is cancelled, the await ends, and the future stays for the others.
    ///
    /// - Throws: The error that was set; `CancellationError` when the future or the task was cancelled;
    ///   ``AbandonedPromise``.
    public var value: Value {
        get async throws {
            engine.assertOnLoop("Future.value")
            if completion.isDone {
                try await engine.spendBudget()
            } else if await completion.wait() == .cancelled {
                throw CancellationError()
            }
            isRetrieved = true
            return try outcome!.get()
        }
    }

    /// The result, if it is set; asyncio's `result()` and `exception()` without their InvalidStateError.
    public var result: Result<Value, any Error>? {
        engine.assertMayBeUsedHere("Future.result")
        if outcome != nil { isRetrieved = true }
        return outcome
    }

    /// Whether a value or an error is set, or it was cancelled.
    public var isDone: Bool {
        engine.assertMayBeUsedHere("Future.isDone")
        return completion.isDone
    }

    /// Whether ``cancel()`` came before a result, here or on what this future was made of.
    public var isCancelled: Bool {
        engine.assertMayBeUsedHere("Future.isCancelled")
        return hasBeenCancelled
    }

    /// Calls `callback` with the result on the loop, in the turn after it is set; callbacks are called in
    /// the order in which they were added, also when the result is there already. One that is called has been
    /// told of the error, if it is one.
    ///
    /// - Returns: The call: cancelling it removes the callback, and leaves nothing of it behind (asyncio's
    ///   remove_done_callback).
    @discardableResult
    public func addDoneCallback(
        _ callback: @escaping (Result<Value, any Error>) -> Void
    ) -> ScheduledCall {
        engine.assertMayBeUsedHere("Future.addDoneCallback")
        // The future is held until then.
        return completion.addCallback {
            self.isRetrieved = true
            callback(self.outcome!)
        }
    }

    // MARK: - Setting

    /// Sets a `CancellationError` as the result, if there is none yet. The promise's later result is ignored.
    ///
    /// Futures that were made of this one are cancelled with it; what it was made of is not, for others may
    /// wait for that.
    ///
    /// - Returns: Whether it had an effect.
    @discardableResult
    public func cancel() -> Bool {
        engine.assertMayBeUsedHere("Future.cancel()")
        guard !completion.isDone else { return false }
        finish(with: .failure(CancellationError()), isCancelled: true)
        return true
    }

    fileprivate func resolve(_ result: Result<Value, any Error>) {
        engine.assertMayBeUsedHere("Promise.succeed or fail")
        guard !completion.isDone else {
            precondition(hasBeenCancelled, "A promise is set once: this one has a result already.")
            return
        }
        finish(with: result)
    }

    private func finish(with result: Result<Value, any Error>, isCancelled: Bool = false) {
        outcome = result
        hasBeenCancelled = isCancelled
        completion.finish()
        for call in sources { call.cancel() }
        sources = []
    }

    /// The promise is gone, perhaps on another thread, from which the state must not even be read.
    fileprivate func abandon() {
        nonisolated(unsafe) let future = self
        completion.engine.performWhereverItRuns { future.finishAbandoned() }
    }

    private func finishAbandoned() {
        if !completion.isDone { finish(with: .failure(AbandonedPromise())) }
    }
}

// What a future does that was made of others, or of a task.
extension Future {
    /// Sets the result, unless there is one: others of what it was made of may have been faster, or it was
    /// cancelled.
    func settle(with result: Result<Value, any Error>, isCancelled: Bool = false) {
        if !completion.isDone { finish(with: result, isCancelled: isCancelled) }
    }

    /// Hears of what it is made of through these calls, and cancels them once it is done.
    func listen(through calls: [ScheduledCall]) {
        if completion.isDone {
            for call in calls { call.cancel() }
        } else {
            sources = calls
        }
    }

    /// Somebody will be told of this future's error, or of an earlier one of its kind.
    func markRetrieved() { isRetrieved = true }
}

// Every use checks the thread, so handing them around among a loop's tasks is safe.
extension Promise: @unchecked Sendable where Value: Sendable {}
extension Future: @unchecked Sendable where Value: Sendable {}
