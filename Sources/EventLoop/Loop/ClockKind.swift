extension EventLoop {
    /// What time is to a loop.
    public struct ClockKind: Hashable, Sendable {
        enum Movement {
            case real
            case leaping
            case byHand
        }

        let movement: Movement
        /// How long to wait for others before each leap, by a real clock.
        let patience: Duration

        /// CLOCK_MONOTONIC (clock_gettime(2)): real time.
        public static let monotonic = ClockKind(movement: .real, patience: .zero)

        /// Starts at zero, and leaps to the next deadline whenever all tasks are blocked: what sleeps for an
        /// hour ends at once, in the order of the deadlines, and the same each time.
        ///
        /// Time stands while a task waits for blocking work on a thread. It does not wait for other
        /// processes, nor for threads that talk to the loop by descriptors: deadlines come before their
        /// answers, since nobody can know whether one will come. Where they must come first, use
        /// ``virtual(patience:)``. `Task.sleep`, which looks at the machine's clock, too, is rounded up to a
        /// millisecond.
        public static let virtual = virtual(patience: .zero)

        /// Like ``virtual``, but before each leap it waits for others that long in real time: for a server on
        /// another thread, another process, a signal. trio's autojump_threshold.
        ///
        /// An answer that comes within that time comes before the deadline; one that takes longer does not.
        ///
        /// - Parameter patience: Each leap takes that long; less than zero means zero.
        public static func virtual(patience: Duration) -> ClockKind {
            ClockKind(movement: .leaping, patience: max(patience, .zero))
        }

        /// Starts at zero, and moves only by ``EventLoop/advance(by:)`` and ``EventLoop/run(for:)``.
        public static let manual = ClockKind(movement: .byHand, patience: .zero)
    }
}

/// A loop's clock and how it may move: what the reactor's own clock does not know.
struct LoopClock {
    let kind: EventLoop.ClockKind
    /// How far a manual clock may go, for each that moves it.
    private var targets: [EventLoop.Instant] = []

    init(_ kind: EventLoop.ClockKind) {
        self.kind = kind
    }

    var isReal: Bool { kind.movement == .real }

    /// Whether the clock may leap to `deadline` when nothing else is left to do.
    func mayLeap(to deadline: EventLoop.Instant) -> Bool {
        guard deadline != .never else { return false }
        return switch kind.movement {
        case .real: false
        case .leaping: true
        case .byHand: targets.contains { deadline <= $0 }
        }
    }

    /// Whether `deadline` will come when nothing else happens any more.
    func willReach(_ deadline: EventLoop.Instant) -> Bool {
        isReal ? deadline != .never : mayLeap(to: deadline)
    }

    /// The delay of a `Task.sleep`. The runtime takes the deadline by the machine's clock, and by the time
    /// that it asks for the delay until then, some of that has passed: rounded up to a millisecond, it is
    /// what the program said, and equal sleeps stay equal.
    static func withoutRealTime(_ delay: Duration) -> Duration {
        let nanoseconds = delay.nanosecondsRoundedUp
        let millisecond: Int64 = 1_000_000
        guard nanoseconds < .max - millisecond else { return delay }
        return .nanoseconds((nanoseconds + millisecond - 1) / millisecond * millisecond)
    }

    mutating func allow(_ target: EventLoop.Instant) {
        targets.append(target)
    }

    mutating func disallow(_ target: EventLoop.Instant) {
        if let index = targets.firstIndex(of: target) { targets.remove(at: index) }
    }
}
