/// A loop's task, whatever it returns: to see what runs, and to cancel it.
///
/// Its members may be used from any thread.
public struct TaskHandle: Sendable {
    let record: TaskRecord

    /// Counts the loop's tasks, in the order of their start.
    public var id: UInt64 { record.id }

    /// The name that it was spawned with.
    public var name: String? { record.name }

    /// The file in which it was spawned.
    public var fileID: String { record.fileID }
    /// The line at which it was spawned.
    public var line: UInt { record.line }

    /// Whether it has returned or thrown.
    public var isDone: Bool { record.isDone }

    /// How often ``cancel()`` was called; asyncio's `cancelling()`. It never sinks: a task in Swift stays
    /// cancelled, and timeouts cancel a task of their own instead of their caller, so nobody has to undo one.
    public var cancellationCount: Int { record.cancellationCount }

    /// Asks the task to end; see ``LoopTask/cancel()``.
    public func cancel() {
        record.cancel()
    }
}

extension TaskHandle: Hashable, CustomStringConvertible {
    public static func == (left: TaskHandle, right: TaskHandle) -> Bool { left.record === right.record }

    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(record)) }

    public var description: String {
        "task \(name ?? "(unnamed)") spawned at \(fileID):\(line)"
    }
}

extension EventLoop {
    /// The running task, if it is one that a loop owns: spawned, or the body of a run; asyncio's
    /// current_task. The body of a timeout or of a scope belongs to it. Nil in calls, in plain `Task`s, in
    /// children of groups, and outside a loop.
    public static var currentTask: TaskHandle? {
        currentIfAny?.engine.currentRecord.map(TaskHandle.init(record:))
    }

    /// The tasks that this loop owns and that have not ended, in the order of their start; asyncio's
    /// all_tasks.
    ///
    /// Traps while another thread runs the loop.
    public var allTasks: [TaskHandle] {
        engine.assertMayBeUsedHere("allTasks")
        return engine.tasks.elements.sorted { $0.id < $1.id }.map(TaskHandle.init(record:))
    }
}

extension Engine {
    /// The record of the task that runs, or whose work the running child is.
    var currentRecord: TaskRecord? { currentNode?.record }
}

extension TaskNode {
    /// The task whose work this is, if the loop owns one.
    final var record: TaskRecord? { self as? TaskRecord ?? (self as? ChildTask)?.owner }
}
