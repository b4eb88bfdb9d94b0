// The waist: every await in the library passes through here, and nowhere else does a task park.

extension Engine {
    /// Parks the current task until its token is woken or the task is cancelled.
    ///
    /// `register` runs on the loop's thread once the task is parked; it leaves the token with whoever will
    /// wake it: a timer, a queue, a descriptor. A task that is cancelled already does not park, and
    /// `register` is not called. After a cancellation the token is dead, so that a late waker finds
    /// nothing and can turn to the next in line; the caller then takes back what `register` left.
    @inline(__always)
    func suspend(
        isolation: isolated (any Actor)? = #isolation, _ register: (WaiterToken) -> Void
    ) async -> Wakeup {
        let token = waiters.insert(.reserved)
        return await withTaskCancellationHandler {
            // The isolation is named so that the closure has it: it would hop off its actor otherwise.
            await withUnsafeContinuation(isolation: isolation) { continuation in
                guard waiters.park(token, continuation) else {
                    continuation.resume(returning: .cancelled)
                    return
                }
                register(token)
            }
        } onCancel: {
            cancelWait(token)
        }
    }

    /// Lets others go first when this step has found its data there too often, so that a stream which never
    /// runs dry starves neither tasks nor timers; and notices a cancellation then.
    @inline(__always)
    func spendBudget() async throws {
        budget -= 1
        guard budget < 0 else { return }
        await withUnsafeContinuation { ready.append(.yielded($0)) }
        try Task.checkCancellation()
    }

    /// Parks the current task at the end of `queue`.
    func suspend(in queue: WaitQueue) async -> Wakeup {
        await suspend { waiters.enqueue($0, in: queue) }
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
