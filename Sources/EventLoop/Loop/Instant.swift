import Glibc

extension EventLoop {
    /// A point in time on a loop's clock, in nanoseconds.
    ///
    /// On the real clock that is CLOCK_MONOTONIC (clock_gettime(2)): never set back, and standing still
    /// while the machine is suspended. Instants of different clocks do not compare in any useful way.
    public struct Instant: InstantProtocol, Hashable, Sendable, CustomStringConvertible {
        /// Nanoseconds since the clock's origin, which is arbitrary.
        public let nanoseconds: UInt64

        /// An instant that never comes: a sleep until it ends by cancellation alone.
        public static let never = Instant(nanoseconds: .max)

        /// The instant that is so many nanoseconds after the clock's origin.
        public init(nanoseconds: UInt64) {
            self.nanoseconds = nanoseconds
        }

        /// The real clock, which not every loop lives by.
        static var realNow: Instant {
            var now = timespec()
            clock_gettime(CLOCK_MONOTONIC, &now)
            return Instant(nanoseconds: UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec))
        }

        /// Moves by `duration`, rounded up to a whole nanosecond, and stops at the ends of time:
        /// adding an enormous duration gives ``never``.
        public func advanced(by duration: Duration) -> Instant {
            let offset = duration.nanosecondsRoundedUp
            let (sum, overflow) =
                offset >= 0
                ? nanoseconds.addingReportingOverflow(UInt64(offset))
                : nanoseconds.subtractingReportingOverflow(offset.magnitude)
            if overflow { return Instant(nanoseconds: offset >= 0 ? .max : 0) }
            return offset == .max ? .never : Instant(nanoseconds: sum)
        }

        /// How long it is from this instant to another: negative, if that comes before.
        public func duration(to other: Instant) -> Duration {
            let (low, high) = nanoseconds <= other.nanoseconds ? (self, other) : (other, self)
            let distance = high.nanoseconds - low.nanoseconds
            let duration = Duration(
                secondsComponent: Int64(distance / 1_000_000_000),
                attosecondsComponent: Int64(distance % 1_000_000_000) * 1_000_000_000)
            return low == self ? duration : .zero - duration
        }

        public static func < (left: Instant, right: Instant) -> Bool {
            left.nanoseconds < right.nanoseconds
        }

        public var description: String {
            self == .never ? "never" : "\(Double(nanoseconds) / 1e9) s"
        }
    }
}

extension Duration {
    /// Whole nanoseconds, rounded up so that no deadline comes early; saturated at the ends of Int64.
    var nanosecondsRoundedUp: Int64 {
        // One division of the processor's, where the standard library's own would be several calls.
        let attosecondsInNanosecond: UInt64 = 1_000_000_000
        let magnitude = attoseconds.magnitude
        let high = UInt64(truncatingIfNeeded: magnitude >> 64)
        guard high < attosecondsInNanosecond / 2 else { return attoseconds < 0 ? .min : .max }
        let (quotient, remainder) = attosecondsInNanosecond.dividingFullWidth(
            (high, UInt64(truncatingIfNeeded: magnitude)))
        // It drops towards zero, which is up for negatives.
        if attoseconds < 0 { return -Int64(quotient) }
        return Int64(clamping: remainder > 0 ? quotient + 1 : quotient)
    }
}
