import CFloor
import Testing

@Suite struct HistogramTests {
    private final class Histogram {
        let pointer: OpaquePointer = floor_histogram_create()
        deinit { floor_histogram_destroy(pointer) }

        func record(_ value: UInt64) { floor_histogram_record(pointer, value) }
        func percentile(_ percent: Double) -> UInt64 { floor_histogram_percentile(pointer, percent) }
        var maximum: UInt64 { floor_histogram_maximum(pointer) }
        var count: UInt64 { floor_histogram_count(pointer) }
    }

    @Test func emptyHasOnlyZeros() {
        let histogram = Histogram()
        #expect(histogram.count == 0)
        #expect(histogram.maximum == 0)
        #expect(histogram.percentile(50) == 0)
    }

    @Test func smallValuesAreExact() {
        let histogram = Histogram()
        for value in 0..<UInt64(128) { histogram.record(value) }
        #expect(histogram.percentile(0) == 0)
        #expect(histogram.percentile(50) == 63)
        #expect(histogram.percentile(75) == 95)
        #expect(histogram.percentile(100) == 127)
    }

    // Around every power of two, where the buckets change their width, and at both ends of the range.
    @Test func noValueIsUnderstatedOrOverstatedByMoreThanItsBucket() {
        for power in 0..<UInt64(64) {
            for distance in [-1, 0, 1] {
                let value = (UInt64(1) << power) &+ UInt64(bitPattern: Int64(distance))
                let histogram = Histogram()
                histogram.record(value)
                histogram.record(UInt64.max)  // else the maximum would hide the bucket's end
                let reported = histogram.percentile(50)
                #expect(reported >= value)
                #expect(reported - value <= value / 128, "\(value) became \(reported)")
            }
        }
    }

    @Test func percentilesAgreeWithSorting() {
        var state: UInt64 = 1
        let values = (0..<10_000).map { _ in floor_next_delay_ns(&state) >> (state % 24) }
        let histogram = Histogram()
        for value in values { histogram.record(value) }
        let sorted = values.sorted()
        for percent in [0.1, 1, 25, 50, 90, 99, 99.9, 100] {
            let rank = max(1, Int((percent / 100 * Double(sorted.count)).rounded(.up)))
            let exact = sorted[rank - 1]
            let reported = histogram.percentile(percent)
            #expect(reported >= exact)
            #expect(reported - exact <= exact / 128, "\(percent) %: \(exact) became \(reported)")
        }
        #expect(histogram.maximum == sorted.last)
        #expect(histogram.count == 10_000)
    }
}
