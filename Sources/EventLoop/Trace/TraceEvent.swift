/// One thing that happened on a loop, in 24 bytes. Spans are made of them when the trace is read, so that
/// recording stores each moment once, and what is still under way when it is read has an end, too.
struct TraceEvent {
    /// Nanoseconds on the loop's clock.
    let time: UInt64
    /// The task that it is about, by its number in the log, from 1; 0 for what is about the loop. Of a call:
    /// where it was scheduled, by its number in the log, or 0.
    let row: UInt32
    let what: What

    enum What {
        case turnBegan(events: UInt32, ready: UInt32)
        case turnEnded
        case idleBegan
        case idleEnded
        case timerFired(lateness: UInt32)
        case descriptorReady(CInt, UInt32)
        /// A thread has left something, at that time; it is followed by its taking, later.
        case posted(thread: CInt)
        case taken(post: UInt32)
        case callBegan(Call)
        case callEnded
        case ready(by: Cause)
        case stepBegan
        case stepEnded(Left)
    }

    /// How a task is left by its step.
    enum Left {
        case ready
        case waiting(WaitReason)
        /// It waits for something that this library knows nothing of, or has ended.
        case unknown
        case over
    }

    /// What has made something ready.
    enum Cause {
        case nobody
        case task(UInt32)
        case call
        case timer(lateness: UInt32)
        case descriptor(CInt)
        case post(UInt32)
    }

    /// What runs that is no task.
    enum Call {
        case plain
        case posted(UInt32)
        /// The end of a delay of the runtime's Task.sleep, which is a task of its own to the runtime.
        case sleepEnd
        /// Another job of the runtime's: it lets a task go on after a Task.yield, or runs an actor.
        case runtime
    }
}

/// A place in a program.
struct TraceSite: Hashable {
    let fileID: String
    let line: UInt
}

/// What is known of a task besides its events.
struct TraceTaskInfo {
    var name: String?
    /// The runtime's number for it, which no other task of the process has.
    var jobID: UInt64
    var fileID: String?
    var line: UInt?
    var parent: UInt32
    var spawned: UInt64
}
