/// Something that happens once, and who waits for it: what futures and tasks have in common.
///
/// It knows nothing of the result, because generic code costs a look-up of the result's type at each step.
final class Completion {
    let engine: Engine
    let waiters: WaitQueue
    private var callbacks: [() -> Void] = []
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
    func addCallback(_ callback: @escaping () -> Void) {
        if isDone {
            engine.schedule(ScheduledCall(engine: engine, callback))
        } else {
            callbacks.append(callback)
        }
    }

    func finish() {
        isDone = true
        for callback in callbacks { engine.schedule(ScheduledCall(engine: engine, callback)) }
        callbacks = []
        engine.wakeAll(in: waiters)
    }
}
