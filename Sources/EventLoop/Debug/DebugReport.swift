/// What a loop in debug mode has to say.
public enum DebugReport: Sendable, CustomStringConvertible {
    /// A step is over, and has taken ``EventLoop/slowStepThreshold`` or longer: nothing else ran meanwhile.
    case slowStep(of: Work, took: Duration)
    /// A step has taken ``EventLoop/stallThreshold`` already, or a multiple of it by a power of two.
    ///
    /// The backtrace is of the loop's thread, innermost function first, each with its file and the address in
    /// it, for a tool that knows its lines; empty if the thread did not answer.
    case stall(of: Work, lasting: Duration, backtrace: [String])
    /// The text of ``EventLoop/dumpTasks()-method``, for which a signal has asked.
    case tasks(String)

    /// What a step is of: a task, or a call.
    public struct Work: Hashable, Sendable, CustomStringConvertible {
        /// What it is, and its name if it has one, as in `task fetch`.
        public let name: String
        /// The file in which the task was spawned, or the call was scheduled; nil for a task that the loop
        /// did not start.
        public let fileID: String?
        /// The line in that file.
        public let line: UInt?

        public var description: String {
            guard let fileID, let line else { return name }
            return "\(name), from \(fileID):\(line)"
        }
    }

    public var description: String {
        switch self {
        case .slowStep(let work, let duration):
            "A step of \(work), took \(duration.readable)."
        case .stall(let work, let duration, let backtrace):
            "The loop has been held up for \(duration.readable) by a step of \(work)"
                + (backtrace.isEmpty ? "." : ":\n    " + backtrace.joined(separator: "\n    "))
        case .tasks(let text): text
        }
    }
}

extension DebugReport.Work {
    init(_ call: ScheduledCall) {
        self.init(name: "call", fileID: call.fileID, line: call.line)
    }

    /// - Parameters:
    ///   - node: Nil for a task that the loop does not know.
    ///   - owner: The task that a child runs in.
    init(_ node: TaskNode?, in owner: TaskRecord?) {
        let strangers = "a task that the loop did not start"
        if let record = node as? TaskRecord {
            self.init(name: record.title, fileID: record.fileID, line: record.line)
        } else if let node {
            self.init(
                name: "\(node.label) of \(owner?.title ?? strangers)", fileID: owner?.fileID,
                line: owner?.line)
        } else {
            self.init(name: strangers, fileID: nil, line: nil)
        }
    }
}

extension TaskRecord {
    /// What reports call it: its name, or its number.
    final var title: String { name.map { "task \($0)" } ?? label }
}

extension Duration {
    /// In seconds, milliseconds or microseconds, rounded down to three or one decimals.
    var readable: String {
        let microseconds = Int(nanosecondsRoundedUp / 1000)
        if microseconds >= 1_000_000 {
            let milliseconds = "\(microseconds / 1000 % 1000 + 1000)".dropFirst()
            return "\(microseconds / 1_000_000).\(milliseconds) s"
        }
        if microseconds >= 1000 { return "\(microseconds / 1000).\(microseconds / 100 % 10) ms" }
        return "\(microseconds) µs"
    }
}
