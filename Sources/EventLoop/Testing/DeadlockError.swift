/// A loop's tasks wait, and nothing that they wait for can happen any more: no task is ready, no deadline
/// will come, no thread works for them, and nobody else has brought anything for a while.
///
/// Only runs that look for it throw it: those of ``EventLoop/explore(seeds:from:clock:fileID:line:_:)``, and
/// of tests with the trait `.virtualTime`.
public struct DeadlockError: Error, CustomStringConvertible {
    /// What each task waits for, as ``EventLoop/dumpTasks()-method`` tells it.
    public let tasks: String

    /// - Parameter engine: Whose tasks wait, now.
    init(on engine: Engine) {
        tasks = TaskDump(engine: engine).text
    }

    public var description: String { "Deadlock: no task can go on any more. \(tasks)" }
}
