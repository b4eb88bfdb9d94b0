/// A result that any thread sets, once: threads block until then, and tasks suspend.
final class SharedResult<Success: Sendable>: Sendable {
    private struct State {
        var result: Result<Success, any Error>?
        var observers: [@Sendable () -> Void] = []
    }

    private let state = Monitor(State())

    /// The result, if it is set.
    var current: Result<Success, any Error>? { state.withLock { $0.result } }

    /// Sets the result, unless there is one. Returns whether it did.
    @discardableResult
    func set(_ result: Result<Success, any Error>) -> Bool {
        let observers: [@Sendable () -> Void]? = state.withLock { state in
            guard state.result == nil else { return nil }
            state.result = result
            defer { state.observers = [] }
            return state.observers
        }
        guard let observers else { return false }
        state.wakeAll()
        for observer in observers { observer() }
        return true
    }

    /// Calls `observer` on the thread that sets the result, or at once when it is set.
    func whenSet(_ observer: @escaping @Sendable () -> Void) {
        let isSet = state.withLock { state in
            if state.result == nil { state.observers.append(observer) }
            return state.result != nil
        }
        if isSet { observer() }
    }

    /// Blocks the thread until the result is set. Nil: the deadline came first.
    func wait(until deadline: EventLoop.Instant = .never) -> Result<Success, any Error>? {
        state.wait(until: deadline) { $0.result }
    }
}

extension SharedResult {
    /// Lets the tasks in `waiters` go on once the result is set, after `action` on their loop.
    func wake(
        _ waiters: WaitQueue, of engine: Engine, after action: (@Sendable () -> Void)? = nil
    ) {
        nonisolated(unsafe) let waiters = waiters
        whenSet { [engine] in
            // Not retained: it lies in the engine's own inbox, perhaps for good when the loop has ended.
            engine.post(
                .perform { [unowned(unsafe) engine] in
                    action?()
                    engine.wakeAll(in: waiters)
                })
        }
    }

    /// Suspends any task, whether or not it is a loop's, until the result is set. A cancellation does not
    /// shorten that: it is for the caller to ask whoever sets the result to make haste.
    ///
    /// - Parameter engine: Where the result comes from, if that is a loop. The clock of another loop stands
    ///   still for a task that waits for it.
    func value(
        from engine: ObjectIdentifier?, for reason: WaitReason, isolation: isolated (any Actor)? = #isolation
    ) async -> Result<Success, any Error> {
        if let own = CurrentLoop.value?.engine {
            let isElsewhere = ObjectIdentifier(own) != engine
            if isElsewhere { own.offloadsUnderWay += 1 }
            defer { if isElsewhere { own.offloadsUnderWay -= 1 } }
            let waiters = WaitQueue(for: reason)
            wake(waiters, of: own)
            while current == nil { await own.suspendUncancellably(in: waiters) }
        } else {
            await withUnsafeContinuation(isolation: isolation) { continuation in
                whenSet { continuation.resume() }
            }
        }
        return current!
    }
}
