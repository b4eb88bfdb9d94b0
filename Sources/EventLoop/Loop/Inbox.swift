import Synchronization

/// What other threads leave for the loop: jobs, calls and cancellations, in the order of arrival.
///
/// No wake-up is lost. A sender stores its message and then exchanges the state for `posted`; if that
/// was `asleep`, it rings the doorbell. The loop goes to sleep only by a compare-and-exchange from
/// `awake`, which fails once anything is posted; and it sets `awake` before it takes the messages, so
/// a message that comes later finds `awake` and sets `posted` again.
struct Inbox: ~Copyable, Sendable {
    enum Message: Sendable {
        case job(UnownedJob)
        case isolatedJob(UnownedJob)
        case call(ScheduledCall)
        /// A job that is to wait until the deadline first.
        case delayed(UnownedJob, deadline: EventLoop.Instant)
        case cancelWait(WaiterToken)
        case cancelTask(TaskNode)
        case perform(@Sendable () -> Void)
        /// Nothing but a reason to wake up.
        case nudge
        /// Where the next message comes from, for a loop that is observed.
        case from(Origin)
    }

    /// The thread that left a message, by its number in the kernel, and when it did.
    struct Origin: Sendable {
        let thread: CInt
        let time: EventLoop.Instant
    }

    private enum State {
        static let awake: UInt8 = 0
        static let asleep: UInt8 = 1
        static let posted: UInt8 = 2
    }

    private let state = Atomic<UInt8>(State.awake)
    /// Nil once it is closed.
    private let messages = Mutex<[Message]?>([])

    /// Leaves a message, which a closed inbox drops. From any thread. Returns whether the loop sleeps and the
    /// bell must ring.
    func post(_ message: Message, from origin: Origin? = nil) -> Bool {
        messages.withLock {
            if let origin { $0?.append(.from(origin)) }
            $0?.append(message)
        }
        return state.exchange(State.posted, ordering: .acquiringAndReleasing) == State.asleep
    }

    /// True: nothing is here, and whoever posts from now on will ring. On the loop's thread.
    func fallAsleep() -> Bool {
        state.compareExchange(
            expected: State.awake, desired: State.asleep, ordering: .acquiringAndReleasing
        ).exchanged
    }

    /// Whether something was posted, at the cost of one load.
    var hasMessages: Bool { state.load(ordering: .acquiring) == State.posted }

    /// The wait is over. On the loop's thread, before ``takeAll()``.
    func wakeUp() {
        _ = state.compareExchange(
            expected: State.asleep, desired: State.awake, ordering: .acquiringAndReleasing)
    }

    /// Takes all messages. On the loop's thread.
    func takeAll() -> [Message] {
        // First the state: a message that comes later announces itself again.
        _ = state.exchange(State.awake, ordering: .acquiringAndReleasing)
        return messages.withLock { waiting in
            guard let taken = waiting else { return [] }
            waiting = []
            return taken
        }
    }

    /// Takes all messages, and no more from here on.
    func close() -> [Message] {
        messages.withLock { waiting in
            defer { waiting = nil }
            return waiting ?? []
        }
    }
}
