/// The writing side of a ``Future``: whoever makes the result keeps it, and sets it once.
///
/// Bound to its loop's thread; use from another traps. To answer from elsewhere, set it in
/// ``EventLoop/callSoonThreadSafe(fileID:line:_:)``.
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
/// An error that nobody asked for by the time the future is gone is reported to the loop's error handler.
///
/// Bound to its loop's thread; use from another traps.
public final class Future<Value> {
    private let completion: Completion
    private var outcome: Result<Value, any Error>?
    /// Whether ``cancel()`` came before a result.
    public private(set) var isCancelled = false
    /// Whether somebody was told of an error, who will see to it.
    private var isRetrieved = false
    private let fileID: String
    private let line: UInt

    fileprivate init(engine: Engine, fileID: String, line: UInt) {
        completion = Completion(engine: engine, reason: .future)
        self.fileID = fileID
        self.line = line
    }

    deinit {
        guard !isRetrieved, !isCancelled, case .failure(let error)? = outcome else { return }
        if error is AbandonedPromise || error is CancellationError { return }
        completion.engine.report(UnhandledError(.futureFailed, error, name: nil, fileID: fileID, line: line))
    }

    /// The value, at once when it is set, or as soon as it is.
    ///
    /// When the awaiting task is cancelled, the await ends, and the future stays for the others.
    ///
    /// - Throws: The error that was set; `CancellationError` when the future or the task was cancelled;
    ///   ``AbandonedPromise``.
    public var value: Value {
        get async throws {
            completion.engine.assertOnLoop("Future.value")
            isRetrieved = true
            if !completion.isDone, await completion.wait() == .cancelled { throw CancellationError() }
            return try outcome!.get()
        }
    }

    /// The result, if it is set.
    public var result: Result<Value, any Error>? {
        completion.engine.assertMayBeUsedHere("Future.result")
        if outcome != nil { isRetrieved = true }
        return outcome
    }

    public var isDone: Bool { completion.isDone }

    /// Sets a `CancellationError` as the result, if there is none yet. The promise's later result is ignored.
    ///
    /// - Returns: Whether it had an effect.
    @discardableResult
    public func cancel() -> Bool {
        completion.engine.assertMayBeUsedHere("Future.cancel()")
        guard !completion.isDone else { return false }
        isCancelled = true
        finish(with: .failure(CancellationError()))
        return true
    }

    /// Calls `callback` with the result on the loop, in the turn after it is set; callbacks are called in
    /// the order in which they were added, also when the result is there already.
    public func addDoneCallback(_ callback: @escaping (Result<Value, any Error>) -> Void) {
        completion.engine.assertMayBeUsedHere("Future.addDoneCallback")
        isRetrieved = true
        // The future is held until then: by its completion's list, or by the call.
        completion.addCallback { callback(self.outcome!) }
    }

    fileprivate func resolve(_ result: Result<Value, any Error>) {
        completion.engine.assertMayBeUsedHere("Promise.succeed or fail")
        guard !completion.isDone else {
            precondition(isCancelled, "A promise is set once: this one has a result already.")
            return
        }
        finish(with: result)
    }

    private func finish(with result: Result<Value, any Error>) {
        outcome = result
        completion.finish()
    }

    /// The promise is gone, perhaps on another thread, from which the state must not even be read.
    fileprivate func abandon() {
        let engine = completion.engine
        if engine.isRunning && !engine.isOnLoopThread {
            nonisolated(unsafe) let future = self
            engine.post(.perform { future.finishAbandoned() })
        } else {
            finishAbandoned()
        }
    }

    private func finishAbandoned() {
        if !completion.isDone { finish(with: .failure(AbandonedPromise())) }
    }
}

// Every use checks the thread, so handing them around among a loop's tasks is safe.
extension Promise: @unchecked Sendable where Value: Sendable {}
extension Future: @unchecked Sendable where Value: Sendable {}
