import TestSupport
import Testing

@testable import EventLoop

@Suite("DurationHistogram")
struct DurationHistogramTests {
    /// Durations of all sizes, each power of two as often as others, and the edges of the buckets.
    private static func durations(seed: UInt64) -> [UInt64] {
        var random = SeededGenerator(seed: seed)
        var durations: [UInt64] = (0..<3000).map { _ in
            UInt64.random(in: 0...(1 << UInt64.random(in: 0..<42, using: &random)), using: &random)
        }
        for power in 0..<42 {
            durations += [1 << UInt64(power) - 1, 1 << UInt64(power), 1 << UInt64(power) + 1]
        }
        return durations
    }

    @Test("buckets follow each other without gaps, each at most a 32nd of what is in it")
    func buckets() {
        var end: UInt64 = 0
        var bucket = 0
        while end < 1 << 42 - 1 {
            let begin = bucket == 0 ? 0 : end + 1
            end = DurationHistogram.upperBound(of: bucket)
            #expect(
                DurationHistogram.bucket(of: begin) == bucket && DurationHistogram.bucket(of: end) == bucket)
            #expect(begin < 32 ? end == begin : (end - begin + 1) * 32 <= begin)
            bucket += 1
        }
        #expect(bucket == DurationHistogram.bucket(of: 1 << 42 - 1) + 1)
    }

    @Test(
        "percentiles are those of a sorted list, but for the width of a bucket",
        arguments: 1...5 as ClosedRange<UInt64>)
    func percentiles(seed: UInt64) throws {
        let durations = Self.durations(seed: seed)
        var histogram = DurationHistogram()
        for duration in durations { histogram.add(nanoseconds: duration) }
        let sorted = durations.sorted()
        for percent in [0, 0.1, 1, 10, 25, 50, 75, 90, 99, 99.9, 99.99, 100] {
            let rank = max(1, Int((percent / 100 * Double(sorted.count)).rounded(.up)))
            let exact = sorted[rank - 1]
            let found = UInt64(try #require(histogram.percentile(percent)).nanosecondsRoundedUp)
            #expect(found >= exact && found <= exact + exact / 31, "\(percent) %: \(found) for \(exact)")
        }
        #expect(histogram.count == UInt64(durations.count))
        #expect(histogram.longest == .nanoseconds(sorted.last!))
        #expect(histogram.percentile(100) == histogram.longest)
        #expect(histogram.mean == .nanoseconds(durations.reduce(0, +) / UInt64(durations.count)))
    }

    @Test("an empty one has nothing to tell")
    func empty() {
        let histogram = DurationHistogram()
        #expect(histogram.count == 0 && histogram.longest == nil && histogram.mean == nil)
        #expect(histogram.percentile(50) == nil)
    }

    @Test("what is negative counts as none, and what is enormous as the longest that it knows")
    func extremes() {
        var histogram = DurationHistogram()
        histogram.add(.seconds(-5))
        #expect(histogram.percentile(100) == .zero)
        histogram.add(.seconds(Int64.max))
        histogram.add(nanoseconds: .max)
        #expect(histogram.count == 3)
        #expect(histogram.longest == .nanoseconds(Int64.max))
        #expect(histogram.percentile(100) == .nanoseconds(1 << 42 - 1 as Int64))
    }

    @Test("a copy stays as it is")
    func copies() {
        var histogram = DurationHistogram()
        histogram.add(.microseconds(1))
        let copy = histogram
        histogram.add(.microseconds(2))
        #expect(copy.count == 1 && histogram.count == 2)
        #expect(copy.longest == .microseconds(1))
    }

    @Test("a percentile beyond 100 traps")
    func beyond() async throws {
        let result = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = DurationHistogram().percentile(100.1)
        }
        #expect(result.sentence.contains("A percentile is between 0 and 100."))
    }
}
