/// Something that happens once, and who waits for it: what futures and tasks have in common.
///
/// It knows nothing of the result, because generic code costs a look-up of the result's type at each step.
final class Completion {
    let engine: Engine
    /// Tasks and callbacks, in the order in which they came.
    private let waiters: WaitQueue
    private(set) var isDone = false

    init(engine: Engine, reason: WaitReason) {
        self.engine = engine
        waiters = WaitQueue(for: reason)
    }

    /// Waits until it has happened. Not to be called afterwards.
    func wait() async -> Wakeup {
        await engine.suspend(in: waiters)
    }

    /// The same, for a task that is cancelled and must wait all the same.
    func waitUncancellably() async {
        await engine.suspendUncancellably(in: waiters)
    }

    /// Calls back in the turn after it has happened, in the order in which the callbacks were added.
    ///
    /// - Returns: The call, which leaves nothing behind when it is cancelled.
    func addCallback(_ callback: @escaping () -> Void) -> ScheduledCall {
        let call = ScheduledCall(engine: engine) {
            // The completion must live as long as somebody stands in its queue.
            withExtendedLifetime(self) { callback() }
        }
        if isDone { engine.schedule(call) } else { engine.enqueue(call, in: waiters) }
        return call
    }

    func finish() {
        isDone = true
        engine.wakeAll(in: waiters)
    }
}
