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
    private let core: FutureCore
    private var outcome: Result<Value, any Error>?

    fileprivate init(engine: Engine) {
        core = FutureCore(engine: engine)
    }

    /// The value, at once when it is set, or as soon as it is.
    ///
    /// When the awaiting task is cancelled, the await ends, and the future stays for the others.
    ///
    /// - Throws: The error that was set; `CancellationError` when the future or the task was cancelled;
    ///   ``AbandonedPromise``.
    public var value: Value {
        get async throws {
            try await core.waitUntilDone()
            return try outcome!.get()
        }
    }

    /// The result, if it is set.
    public var result: Result<Value, any Error>? {
        core.engine.assertMayBeUsedHere("Future.result")
        return outcome
    }

    public var isDone: Bool { core.isDone }

    /// Whether ``cancel()`` came before a result.
    public var isCancelled: Bool { core.isCancelled }

    /// Sets a `CancellationError` as the result, if there is none yet. The promise's later result is ignored.
    ///
    /// - Returns: Whether it had an effect.
    @discardableResult
    public func cancel() -> Bool {
        core.engine.assertMayBeUsedHere("Future.cancel()")
        guard !core.isDone else { return false }
        outcome = .failure(CancellationError())
        core.finish(isCancelled: true)
        return true
    }

    /// Calls `callback` with the result on the loop, in the turn after it is set; callbacks are called in
    /// the order in which they were added, also when the result is there already.
    public func addDoneCallback(_ callback: @escaping (Result<Value, any Error>) -> Void) {
        core.engine.assertMayBeUsedHere("Future.addDoneCallback")
        // The future is held until then: by its core's list, or by the call.
        core.addCallback { callback(self.outcome!) }
    }

    fileprivate func resolve(_ result: Result<Value, any Error>) {
        core.engine.assertMayBeUsedHere("Promise.succeed or fail")
        guard !core.isDone else {
            precondition(core.isCancelled, "A promise is set once: this one has a result already.")
            return
        }
        outcome = result
        core.finish(isCancelled: false)
    }

    /// The promise is gone, perhaps on another thread, from which the state must not even be read.
    fileprivate func abandon() {
        if core.engine.isRunning && !core.engine.isOnLoopThread {
            nonisolated(unsafe) let future = self
            core.engine.post(.perform { future.finishAbandoned() })
        } else {
            finishAbandoned()
        }
    }

    private func finishAbandoned() {
        guard !core.isDone else { return }
        outcome = .failure(AbandonedPromise())
        core.finish(isCancelled: false)
    }
}

/// What a future is without its value: who waits for it. Apart, because generic code costs a look-up of the
/// value's metadata at each step.
private final class FutureCore {
    let engine: Engine
    private let waiters = WaitQueue(for: .future)
    private var callbacks: [() -> Void] = []
    private(set) var isDone = false
    private(set) var isCancelled = false

    init(engine: Engine) {
        self.engine = engine
    }

    func waitUntilDone() async throws {
        engine.assertOnLoop("Future.value")
        while !isDone {
            if await engine.suspend(in: waiters) == .cancelled { throw CancellationError() }
        }
    }

    func addCallback(_ callback: @escaping () -> Void) {
        if isDone {
            engine.schedule(ScheduledCall(engine: engine, callback))
        } else {
            callbacks.append(callback)
        }
    }

    func finish(isCancelled: Bool) {
        isDone = true
        self.isCancelled = isCancelled
        for callback in callbacks { engine.schedule(ScheduledCall(engine: engine, callback)) }
        callbacks = []
        engine.wakeAll(in: waiters)
    }
}

// Every use checks the thread, so handing them around among a loop's tasks is safe.
extension Promise: @unchecked Sendable where Value: Sendable {}
extension Future: @unchecked Sendable where Value: Sendable {}
