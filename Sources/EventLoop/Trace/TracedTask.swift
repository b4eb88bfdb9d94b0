/// A task as a ``Trace`` has seen it: what it did at which time, ready to be drawn as a row of a chart.
public struct TracedTask: Sendable, Identifiable {
    /// Tells the tasks of a trace apart, on all its loops; in the order of their spawning on each.
    public let id: Int
    /// The name that it was spawned with, or what it is: `gather[2]`, `withTimeout`, `task #7`.
    public let name: String
    /// The task that started it, when that is in the trace, too.
    public let parentID: Int?
    /// The name of its loop.
    public let loop: String
    /// The file in which it was spawned. Nil for plain `Task`s and for the children of groups and of
    /// `gather`.
    public let fileID: String?
    /// The line at which it was spawned. Nil where ``fileID`` is.
    public let line: UInt?
    /// When it was started, or first seen, if it is older than the trace.
    public let spawned: EventLoop.Instant
    /// When its first step began that the trace has seen.
    public let began: EventLoop.Instant?
    /// When it ended. Nil when it has not, and when nobody tells: of a plain `Task` one knows that only once
    /// its memory is another's.
    public let ended: EventLoop.Instant?
    /// What it did, in the order of time, without gaps from ``began`` to its end. Nothing that took no time
    /// is in here but steps.
    ///
    /// A task that starts at once takes its first step within a step of its parent, so both run then.
    public let spans: [TracedSpan]
}

/// Some time of a task's life, in one state.
public struct TracedSpan: Sendable, Equatable {
    /// What a task does.
    public enum State: Sendable, Equatable {
        /// It takes a step: its code runs.
        case running
        /// It is in the loop's queue, and waits for nothing but its turn.
        case ready
        /// It is parked, and waits for what is said here: "a timer", "descriptor 7 to be readable", "a lock".
        case waiting(for: String)
    }

    /// What the task did meanwhile.
    public let state: State
    /// When it began.
    public let start: EventLoop.Instant
    /// When it ended.
    public let end: EventLoop.Instant
    /// Of a span that is ready: who has put the task into the queue, such as "a timer", "task main",
    /// "thread 4711".
    public let wokenBy: String?

    /// From its start to its end.
    public var duration: Duration { start.duration(to: end) }
}

/// A row of spans that ``Trace/record(_:on:_:)`` has measured.
public struct TracedLane: Sendable {
    /// The name that it was measured under.
    public let name: String
    /// What it did, in the order of the spans' starts.
    public let spans: [TracedWork]
}

/// What ran from one moment to another, by its name.
public struct TracedWork: Sendable, Equatable {
    /// What it is called.
    public let name: String
    /// When it began.
    public let start: EventLoop.Instant
    /// When it ended.
    public let end: EventLoop.Instant

    /// From its start to its end.
    public var duration: Duration { start.duration(to: end) }
}
