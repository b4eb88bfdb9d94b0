/// A loop's tasks wait, and nothing that they wait for can happen any more: no task is ready, no deadline will
/// come, no thread works for them, and nobody else has brought anything for a while.
///
/// Only runs that look for it throw it: ``EventLoop/explore(seeds:from:clock:fileID:line:_:)`` and tests with the
/// trait `.virtualTime`.
public struct DeadlockError: Error, CustomStringConvertible {
    /// A sentence for each task: who waits, and for what.
    public let waits: [String]

    public var description: String {
        (["Deadlock: no task can go on any more."] + waits).joined(separator: "\n  ")
    }
}

extension DeadlockError {
    /// What the loop's tasks wait for now.
    init(on engine: Engine) {
        var reasons: [WaiterToken: WaitReason] = [:]
        for wait in engine.waiters.parkedWaits { reasons[wait.token] = wait.reason }
        var waits: [String] = []
        for record in engine.tasks.elements.sorted(by: { $0.id < $1.id }) {
            let reason = reasons.removeValue(forKey: record.token)
            let what = reason.map { "\($0)" } ?? "its children, or for something that this loop does not know"
            waits.append("\(TaskHandle(record: record)) waits for \(what)")
        }
        // The rest are children of those tasks, and plain tasks, of which the loop knows the waits alone.
        let others = reasons.values.map { "another task waits for \($0)" }
        self.waits = waits + others.sorted()
    }
}
