/// A child of the running task, awaited in place, that can be cancelled apart from its parent: the body of a
/// timeout or of a scope.
///
/// It is a task of its own because a task in Swift that is cancelled stays so: asyncio's timeout cancels its
/// caller and takes that back, which here nobody can. It starts at once and in place, so a body that does not
/// suspend costs no turn.
///
/// Used on the loop's thread.
@usableFromInline
class ChildTask: TaskNode, @unchecked Sendable {
    private final let function: StaticString
    /// The task whose work this is, if the loop owns one, until it has ended.
    private(set) final var owner: TaskRecord?
    /// The child's task while it runs, by its address, or 0.
    private final var task: UInt = 0
    private final var isCancelled = false

    init(engine: Engine, function: StaticString) {
        self.function = function
        let parent = engine.currentNode
        owner = parent?.record
        super.init(engine: engine, parentID: parent?.id ?? 0, hearsOfCancellation: false)
    }

    override final var label: String { "\(function)" }

    /// What it spawns outlives it, like all that its parent spawns.
    override final var idAsParent: UInt64 { owner?.id ?? id }

    /// Asks the child to end, before it runs or while it does.
    final func cancel() {
        isCancelled = true
        if task != 0 { cancelTask(at: task) }
    }

    /// Runs `body` to its end. The caller's cancellation is the child's, too, and comes through the runtime.
    @inlinable
    final func run<Value>(_ body: @escaping () async throws -> Value) async -> Result<Value, any Error> {
        let loop = currentLoop("withTimeout or withTaskScope")
        nonisolated(unsafe) let body = loop.confined(body)
        nonisolated(unsafe) var outcome: Result<Value, any Error>?
        await withChildren(on: loop) { group in
            group.addImmediateTask {
                self.begin()
                do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
                self.end()
            }
        }
        return outcome!
    }

    /// The child's task runs from here on.
    @usableFromInline
    final func begin() {
        task = enter()
        if isCancelled { cancelTask(at: task) }
    }

    @usableFromInline
    final func end() {
        leave(task)
        task = 0
        owner = nil
    }
}
