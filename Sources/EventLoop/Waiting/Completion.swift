/// Something that happens once, and who waits for it, tasks and callbacks, in the order in which they came:
/// what futures and tasks have in common.
///
/// It knows nothing of the result, because generic code costs a look-up of the result's type at each step.
final class Completion: WaitQueue {
    let engine: Engine
    private(set) var isDone = false

    init(engine: Engine, reason: WaitReason) {
        self.engine = engine
        super.init(for: reason)
    }

    /// Waits until it has happened. Not to be called afterwards.
    func wait() async -> Wakeup {
        await engine.suspend(in: self)
    }

    /// The same, for a task that is cancelled and must wait all the same.
    func waitUncancellably() async {
        await engine.suspendUncancellably(in: self)
    }

    /// Calls back in the turn after it has happened.
    ///
    /// - Returns: The call, which leaves nothing behind when it is cancelled.
    func addCallback(_ callback: @escaping () -> Void) -> ScheduledCall {
        let call = ScheduledCall(engine: engine) {
            // It must live as long as somebody stands in its queue.
            withExtendedLifetime(self) { callback() }
        }
        if isDone { engine.schedule(call) } else { engine.enqueue(call, in: self) }
        return call
    }

    func finish() {
        isDone = true
        engine.wakeAll(in: self)
    }
}
