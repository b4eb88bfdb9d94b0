/// A loop as a ``Trace`` has seen it. Everything is in the order of time.
public struct TracedLoop: Sendable {
    /// The name that it is recorded under.
    public let name: String
    /// Its turns: what was ready when a turn began runs until it ends.
    public let turns: [TracedTurn]
    /// When nothing was ready, and the loop blocked in epoll_wait(2), or let its virtual time pass.
    public let idle: [TracedIdle]
    /// What ran, step by step: tasks and calls. A task that starts at once takes its first step within one of
    /// another's.
    public let steps: [TracedStep]
    /// Timers that were due.
    public let timers: [TracedTimer]
    /// Watched descriptors that became ready.
    public let descriptorEvents: [TracedDescriptorEvent]
    /// What other threads have left for the loop.
    public let posts: [TracedPost]
    /// How many of its oldest events had to make room: see ``Trace/init(capacity:)``.
    public let droppedEvents: Int
}

/// A turn of a loop: one look for what has happened, and the steps that were ready.
public struct TracedTurn: Sendable, Equatable {
    /// When it began.
    public let start: EventLoop.Instant
    /// When it ended.
    public let end: EventLoop.Instant
    /// How many events the kernel and the timers have brought.
    public let events: Int
    /// How many steps were ready.
    public let ready: Int
}

/// Some time in which a loop had nothing to do.
public struct TracedIdle: Sendable, Equatable {
    /// When it began.
    public let start: EventLoop.Instant
    /// When it ended.
    public let end: EventLoop.Instant

    /// From its start to its end.
    public var duration: Duration { start.duration(to: end) }
}

/// A step: a task's run from one suspension to the next, or a call.
public struct TracedStep: Sendable, Equatable {
    /// The task, or nil for a call (`callSoon`, `callLater`, …) and for what the runtime does.
    public let taskID: Int?
    /// The task's name, or "call".
    public let name: String
    /// Where a call was scheduled; within the library for its own. Nil for tasks.
    public let fileID: String?
    /// The line there.
    public let line: UInt?
    /// When it began.
    public let start: EventLoop.Instant
    /// When it ended.
    public let end: EventLoop.Instant

    /// From its start to its end.
    public var duration: Duration { start.duration(to: end) }
}

/// A timer that was due.
public struct TracedTimer: Sendable, Equatable {
    /// When the loop noticed it.
    public let time: EventLoop.Instant
    /// How long it was due by then.
    public let lateness: Duration
}

/// What the kernel has told of a watched descriptor.
public struct TracedDescriptorEvent: Sendable, Equatable {
    /// When the loop noticed it.
    public let time: EventLoop.Instant
    /// The descriptor's number.
    public let descriptor: Int32
    /// What it is ready for, such as "read" or "read, hang-up".
    public let readiness: String
}

/// Something that another thread has left for a loop: a call, a task to run or to cancel.
public struct TracedPost: Sendable, Equatable {
    /// The posting thread: the name of the loop that it runs, or the thread's own name with its number.
    public let thread: String
    /// When it was posted, on the posting thread.
    public let posted: EventLoop.Instant
    /// When the loop took it.
    public let taken: EventLoop.Instant
    /// The task that goes on because of it, if any.
    public let taskID: Int?
    /// When the step or call that it caused began; nil when it caused none.
    public let began: EventLoop.Instant?
}
