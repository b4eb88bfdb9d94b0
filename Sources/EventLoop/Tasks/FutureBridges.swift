// From results, callbacks, tasks and other threads to futures. The way from a future to a task needs no
// bridge: `spawn { try await future.value }`.

extension Future {
    /// A future that has its value already.
    ///
    /// - Precondition: A loop runs on this thread, or `loop` is given.
    public static func succeeded(
        _ value: Value, on loop: EventLoop? = nil, fileID: String = #fileID, line: UInt = #line
    ) -> Future {
        made(on: loop, "Future.succeeded", fileID, line) { $0.settle(with: .success(value)) }
    }

    /// A future that has failed already. Its error is reported if nobody looks at it.
    ///
    /// - Precondition: A loop runs on this thread, or `loop` is given.
    public static func failed(
        _ error: any Error, on loop: EventLoop? = nil, fileID: String = #fileID, line: UInt = #line
    ) -> Future {
        made(on: loop, "Future.failed", fileID, line) { $0.settle(with: .failure(error)) }
    }

    /// A future that was cancelled already.
    ///
    /// - Precondition: A loop runs on this thread, or `loop` is given.
    public static func cancelled(
        on loop: EventLoop? = nil, fileID: String = #fileID, line: UInt = #line
    ) -> Future {
        made(on: loop, "Future.cancelled", fileID, line) { $0.cancel() }
    }

    private static func made(
        on loop: EventLoop?, _ caller: String, _ fileID: String, _ line: UInt, _ set: (Future) -> Void
    ) -> Future {
        let loop = loop ?? EventLoop.current(for: caller)
        let future = Future(engine: loop.engine, fileID: fileID, line: line)
        set(future)
        return future
    }
}

extension LoopTask {
    /// A future of the task's result, each time a new one: for callbacks, and to combine it with others.
    ///
    /// It is done in the turn after the task's end, or at once if the task has ended. A task that ended with
    /// a `CancellationError` cancels it. Cancelling the future leaves the task alone, for others may wait for
    /// it; cancel the task itself to end it. An error that is passed on counts as looked at.
    ///
    /// Traps while another thread runs the loop.
    public var future: Future<Success> {
        let engine = record.engine
        engine.assertMayBeUsedHere("LoopTask.future")
        let future = Future<Success>(engine: engine, fileID: record.fileID, line: record.line)
        if let result = resultIfDone {
            future.settle(withResultOfTask: result)
        } else {
            future.listen(through: [addDoneCallback { future.settle(withResultOfTask: $0) }])
        }
        return future
    }
}

extension Future {
    fileprivate func settle(withResultOfTask result: Result<Value, any Error>) {
        if case .failure(let error) = result, error is CancellationError {
            cancel()
        } else {
            settle(with: result)
        }
    }
}

/// Waits for a value that a callback brings.
///
///     let reply = try await withPromise { promise in
///         client.ask("time") { answer in promise.succeed(answer) }
///     }
///
/// A callback of another thread uses ``Promise/completeThreadSafe(with:)`` and its like. One that is dropped
/// without having been called, and the promise with it, ends the wait with ``AbandonedPromise``. What comes
/// after the caller was cancelled is ignored; `promise.future.addDoneCallback` hears of that, and
/// `promise.future.isCancelled` tells it.
///
/// - Parameter start: Called at once; it keeps the promise for the callback.
/// - Returns: The value that the promise was given.
/// - Throws: The error that the promise was given; what `start` threw; ``AbandonedPromise``;
///   `CancellationError` when the caller was cancelled.
/// - Precondition: A loop runs on this thread.
public func withPromise<Value>(
    of type: Value.Type = Value.self, fileID: String = #fileID, line: UInt = #line,
    _ start: (Promise<Value>) throws -> Void
) async throws -> Value {
    let future = try startWithPromise(fileID: fileID, line: line, start)
    do {
        return try await future.value
    } catch {
        future.cancel()
        throw error
    }
}

/// Lets go of the promise: only the callback is to keep it.
private func startWithPromise<Value>(
    fileID: String, line: UInt, _ start: (Promise<Value>) throws -> Void
) throws -> Future<Value> {
    EventLoop.current(for: "withPromise").engine.assertOnLoop("withPromise")
    let promise = Promise<Value>(fileID: fileID, line: line)
    try start(promise)
    return promise.future
}

extension Promise where Value: Sendable {
    /// Sets the result from any thread: the loop wakes up and sets it there; asyncio's
    /// `call_soon_threadsafe(future.set_result, …)`.
    ///
    /// Does nothing when the future was cancelled. A loop that does not run sets it when it does.
    ///
    /// - Precondition: No result is set yet, when the loop comes to it. That is noticed there.
    public func completeThreadSafe(with result: Result<Value, any Error>) {
        // The promise stays until then: dropping it would abandon the future.
        future.engine.post(.perform { self.complete(with: result) })
    }

    /// Sets the value from any thread. Otherwise like ``completeThreadSafe(with:)``.
    public func succeedThreadSafe(_ value: Value) {
        completeThreadSafe(with: .success(value))
    }

    /// Sets the error from any thread. Otherwise like ``completeThreadSafe(with:)``.
    public func failThreadSafe(_ error: any Error) {
        completeThreadSafe(with: .failure(error))
    }
}
