/// A child of the running task, awaited in place, that can be cancelled apart from its parent: the body of a
/// timeout or of a scope.
///
/// It is a task of its own because a task in Swift that is cancelled stays so: asyncio's timeout cancels its
/// caller and takes that back, which here nobody can. It starts at once and in place, so a body that does not
/// suspend costs no turn.
///
/// Used on the loop's thread.
final class ChildTask: TaskNode, @unchecked Sendable {
    private let purpose: StaticString
    /// Who awaits it, until it has ended.
    private(set) var parent: TaskNode?
    /// While it runs. Cancelling is what may be done to it from outside.
    private var task: UnsafeCurrentTask?
    private(set) var isCancelled = false

    init(engine: Engine, purpose: StaticString) {
        self.purpose = purpose
        let parent = engine.currentNode
        self.parent = parent
        super.init(engine: engine, parentID: parent?.id ?? 0)
    }

    override var label: String { "\(purpose)" }

    /// What it spawns outlives it, like all that its parent spawns.
    override var idAsParent: UInt64 { parent?.idAsParent ?? id }

    /// Asks the child to end, before it runs or while it does.
    func cancel() {
        isCancelled = true
        guard let task else { return }
        task.cancel()
        cancelWait()
    }

    /// Runs `body` to its end. The caller's cancellation is the child's, too.
    func run<Value>(_ body: @escaping () async throws -> Value) async throws -> Value {
        let slot = ResultSlot(body)
        await runChild { [slot] in await slot.run() }
        return try slot.result!.get()
    }

    /// The runtime passes a cancellation on to the group's task before it comes to the handler, which was
    /// added earlier: so a wait that the handler does not find has not begun, and will see that the task is
    /// cancelled.
    private func runChild(_ body: @escaping () async -> Void) async {
        nonisolated(unsafe) let body = body
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                group.addImmediateTask {
                    let address = self.enter()
                    self.task = withUnsafeCurrentTask { $0 }
                    if self.isCancelled { self.task?.cancel() }
                    await body()
                    self.task = nil
                    self.leave(address)
                }
            }
        } onCancel: {
            cancelWait()
        }
        parent = nil
    }
}
