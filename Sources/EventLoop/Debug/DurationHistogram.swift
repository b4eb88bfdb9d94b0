/// How often durations of each size have occurred, in memory that does not grow.
///
/// Each power of two of nanoseconds has 32 buckets, so a percentile is at most 3.2 % too high. Durations of
/// 73 minutes and more count as that long.
public struct DurationHistogram: Sendable {
    private static let bucketsPerPower = 32
    private static let highest: UInt64 = 1 << 42 - 1
    private var counts = [UInt64](repeating: 0, count: bucket(of: highest) + 1)
    private var longestNanoseconds: UInt64 = 0
    private var sumOfNanoseconds: UInt64 = 0
    /// How many durations it has counted.
    public private(set) var count: UInt64 = 0

    /// A histogram that has counted nothing.
    public init() {}

    /// Counts a duration; a negative one as none.
    public mutating func add(_ duration: Duration) {
        add(nanoseconds: UInt64(max(duration.nanosecondsRoundedUp, 0)))
    }

    mutating func add(nanoseconds: UInt64) {
        counts[Self.bucket(of: min(nanoseconds, Self.highest))] += 1
        count += 1
        longestNanoseconds = max(longestNanoseconds, nanoseconds)
        sumOfNanoseconds &+= nanoseconds
    }

    /// The longest one, exactly; nil if there is none.
    public var longest: Duration? { count == 0 ? nil : .nanoseconds(Int64(clamping: longestNanoseconds)) }

    /// The mean; nil if there is none.
    public var mean: Duration? {
        count == 0 ? nil : .nanoseconds(Int64(clamping: sumOfNanoseconds / count))
    }

    /// The duration that `percent` of all are not longer than, rounded up to its bucket's end; nil if there
    /// is none.
    ///
    /// - Precondition: From 0 to 100.
    public func percentile(_ percent: Double) -> Duration? {
        precondition((0...100).contains(percent), "A percentile is between 0 and 100.")
        guard count > 0 else { return nil }
        let rank = max(1, UInt64((percent / 100 * Double(count)).rounded(.up)))
        var seen: UInt64 = 0
        for (index, count) in counts.enumerated() {
            seen += count
            if seen >= rank {
                return .nanoseconds(Int64(min(Self.upperBound(of: index), longestNanoseconds)))
            }
        }
        return longest
    }

    // MARK: - Buckets: a nanosecond each at first, then twice as wide with each power of two

    static func bucket(of nanoseconds: UInt64) -> Int {
        let power = UInt64.bitWidth - 1 - nanoseconds.leadingZeroBitCount
        let shift = max(0, power - 5)
        return shift * bucketsPerPower + Int(nanoseconds >> UInt64(shift))
    }

    /// The longest duration that falls into the bucket.
    static func upperBound(of bucket: Int) -> UInt64 {
        let shift = max(0, bucket / bucketsPerPower - 1)
        return (UInt64(bucket - shift * bucketsPerPower) + 1) << UInt64(shift) - 1
    }
}
