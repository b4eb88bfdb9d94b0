/// An operation of `gather`, `asCompleted` or `race` as an observer of the loop sees it. Nobody else needs to
/// know of it, so there is one only while the loop is observed.
@usableFromInline
final class GatheredChild: TaskNode, @unchecked Sendable {
    /// Whose operation it is.
    let function: StaticString
    private let index: Int
    private let isLane: Bool
    /// The task that waits for it, or in which it is done, if the loop owns one.
    fileprivate let owner: TaskRecord?

    /// - Parameter isLane: The child takes one element after another, because there is a limit.
    @usableFromInline
    init(_ index: Int, of function: StaticString = "gather", on loop: EventLoop, isLane: Bool = false) {
        self.function = function
        self.index = index
        self.isLane = isLane
        owner = loop.engine.currentNode?.owningRecord
        // Its parent's cancellation reaches it through the runtime.
        super.init(
            engine: loop.engine, parentID: loop.engine.currentNode?.id ?? 0, hearsOfCancellation: false)
    }

    /// What it spawns outlives it, like all that its parent spawns.
    override var idAsParent: UInt64 { parentID }

    override var label: String { isLane ? "\(function), lane \(index)" : "\(function)[\(index)]" }

    /// Runs the child's operation, as the child.
    @usableFromInline
    func run(_ operation: () async throws -> Void) async rethrows {
        let task = enter()
        defer { leave(task) }
        try await operation()
    }
}

extension TaskNode {
    /// The task that this is part of, if the loop owns one. Unlike ``record`` it knows gathered children
    /// for parts of a task, which only who observes a loop may take them for.
    final var owningRecord: TaskRecord? { record ?? (self as? GatheredChild)?.owner }
}

extension EventLoop {
    /// Whether somebody wants to know what its tasks do.
    @usableFromInline var isObserved: Bool { engine.state.isObserved }
}
