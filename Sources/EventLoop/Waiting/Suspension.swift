// The waist: every await in the library passes through here, and nowhere else does a task park.
//
// A wait has three steps: reserve a token, leave it with whoever will wake it (a timer, a queue, a
// descriptor), park. Nothing may be awaited or thrown in between. When the wait was cancelled, the token is
// dead: a late waker finds nothing and can turn to the next in line, and the caller takes back what it left.

extension Engine {
    /// Names a wait of the current task, which ``park(_:isolation:)`` must follow.
    @inline(__always)
    func reserveWait(for reason: WaitReason) -> WaiterToken {
        let token = waiters.insert(.reserved, for: reason)
        if state.isObserved { tellOfWait(token) }
        return token
    }

    /// Parks the current task until its token is woken or the task is cancelled, whichever comes first,
    /// before or after the task has parked.
    ///
    /// A task that this loop started is cancelled through its ``TaskNode``. Others (a plain `Task`, a child
    /// of one) need a handler for each wait.
    @inline(__always)
    func park(_ token: WaiterToken, isolation: isolated (any Actor)? = #isolation) async -> Wakeup {
        let (task, isCancelled) = currentTask()
        guard let node = taskIndex[task], node.hearsOfCancellation else {
            return await parkWithHandler(token)
        }
        if isCancelled {
            waiters.withdraw(token)
            return .cancelled
        }
        node.token = token
        return await withUnsafeContinuation(isolation: isolation) { continuation in
            if let wakeup = waiters.park(token, continuation) { continuation.resume(returning: wakeup) }
        }
    }

    private func parkWithHandler(
        _ token: WaiterToken, isolation: isolated (any Actor)? = #isolation
    ) async -> Wakeup {
        await withTaskCancellationHandler {
            // The isolation is named so that the closure has it: it would hop off its actor otherwise.
            await withUnsafeContinuation(isolation: isolation) { continuation in
                if let wakeup = waiters.park(token, continuation) { continuation.resume(returning: wakeup) }
            }
        } onCancel: {
            cancelWait(token)
        }
    }

    /// Lets others go first when this step has found its data there too often, so that a stream which never
    /// runs dry starves neither tasks nor timers; and notices a cancellation then.
    @inline(__always)
    func spendBudget() async throws {
        state.budget -= 1
        if state.budget < 0 { try await letOthersGoFirst() }
    }

    private func letOthersGoFirst() async throws {
        await withUnsafeContinuation { append($0) }
        try Task.checkCancellation()
    }

    /// Parks the current task at the end of `queue`.
    func suspend(in queue: WaitQueue) async -> Wakeup {
        let token = reserveWait(for: queue.reason)
        waiters.enqueue(token, in: queue)
        return await park(token)
    }

    /// Parks the current task at the end of `queue`, whether it is cancelled or not. For waits that are
    /// sure to end soon, and that somebody relies on: nothing but the waker ends them.
    func suspendUncancellably(in queue: WaitQueue, isolation: isolated (any Actor)? = #isolation) async {
        let token = reserveWait(for: queue.reason)
        waiters.enqueue(token, in: queue)
        _ = await withUnsafeContinuation(isolation: isolation) { continuation in
            if let wakeup = waiters.park(token, continuation, isCancellable: false) {
                continuation.resume(returning: wakeup)
            }
        }
    }

    /// Puts a call at the end of `queue`: it is called in the turn after it is woken. Never on a loop that is
    /// closed, which would hold it for good.
    func enqueue(_ call: ScheduledCall, in queue: WaitQueue) {
        guard !isClosed else { return call.forget() }
        let token = waiters.insert(.call(call), for: queue.reason)
        waiters.enqueue(token, in: queue)
        call.token = token
    }

    /// Lets the first task in the queue go on. Returns whether there was one.
    @discardableResult
    func wakeFirst(in queue: WaitQueue) -> Bool {
        guard let token = waiters.firstToken(of: queue) else { return false }
        return wake(token)
    }

    /// Lets every task that is in the queue now go on, in its order.
    func wakeAll(in queue: WaitQueue) {
        for _ in 0..<queue.count { wakeFirst(in: queue) }
    }
}
