/// A child of the running task, awaited in place, that can be cancelled apart from its parent: the body of a
/// timeout or of a scope.
///
/// It is a task of its own because a task in Swift that is cancelled stays so: asyncio's timeout cancels its
/// caller and takes that back, which here nobody can. It starts at once and in place, so a body that does not
/// suspend costs no turn.
///
/// Used on the loop's thread.
@usableFromInline
final class ChildTask: TaskNode, @unchecked Sendable {
    private let purpose: StaticString
    /// The task whose work this is, if the loop owns one, until it has ended.
    private(set) var owner: TaskRecord?
    /// While it runs. Cancelling is what may be done to it from outside.
    private var task: UnsafeCurrentTask?
    private(set) var isCancelled = false

    init(engine: Engine, purpose: StaticString) {
        self.purpose = purpose
        owner = engine.currentRecord
        super.init(engine: engine, parentID: engine.currentNode?.id ?? 0, hearsOfCancellation: false)
    }

    override var label: String { "\(purpose)" }

    /// What it spawns outlives it, like all that its parent spawns.
    override var idAsParent: UInt64 { owner?.id ?? id }

    /// Asks the child to end, before it runs or while it does.
    func cancel() {
        isCancelled = true
        task?.cancel()
    }

    /// Runs `body` to its end, and returns its error. The caller's cancellation is the child's, too, and
    /// comes through the runtime.
    @inlinable
    func run(_ body: @escaping () async throws -> Void) async -> (any Error)? {
        nonisolated(unsafe) let body = body
        nonisolated(unsafe) var failure: (any Error)?
        await withChildren(on: currentLoop("withTimeout or withTaskScope")) { group in
            group.addImmediateTask {
                let address = self.begin()
                do { try await body() } catch { failure = error }
                self.end(address)
            }
        }
        return failure
    }

    /// The child's task runs from here on.
    @usableFromInline
    func begin() -> UInt {
        task = withUnsafeCurrentTask { $0 }
        if isCancelled { task?.cancel() }
        return enter()
    }

    @usableFromInline
    func end(_ address: UInt) {
        task = nil
        leave(address)
        owner = nil
    }
}
