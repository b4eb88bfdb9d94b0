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
    /// While it runs. Cancelling is what may be done to it from outside.
    private var task: UnsafeCurrentTask?
    private(set) var isCancelled = false

    init(engine: Engine, purpose: StaticString) {
        self.purpose = purpose
        super.init(engine: engine)
    }

    override var label: String { "\(purpose)" }

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
    private func runChild(
        isolation: isolated (any Actor)? = #isolation, _ body: @escaping () async -> Void
    ) async {
        nonisolated(unsafe) let body = body
        let executor = EventLoop.current(for: "withTimeout or withTaskScope").childrensExecutor
        await withTaskCancellationHandler {
            // Named, so that this runs where the caller does.
            _ = isolation
            await withChildren { group in
                group.addChild(preferring: executor) {
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
    }
}
