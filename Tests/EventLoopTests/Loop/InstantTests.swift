import TestSupport
import Testing

@testable import EventLoop

@Suite("Instant")
struct InstantTests {
    private let second = EventLoop.Instant(nanoseconds: 1_000_000_000)

    @Test(
        "a duration is rounded up to whole nanoseconds",
        arguments: [(Duration, Int64)](
            arrayLiteral: (Duration.zero, 0 as Int64), (.nanoseconds(1), 1), (.seconds(1), 1_000_000_000),
            (Duration(secondsComponent: 0, attosecondsComponent: 1), 1),
            (Duration(secondsComponent: 0, attosecondsComponent: 999_999_999), 1),
            (Duration(secondsComponent: 0, attosecondsComponent: 1_000_000_001), 2),
            (Duration(secondsComponent: 2, attosecondsComponent: 1), 2_000_000_001),
            (.nanoseconds(-1), -1), (.seconds(-3), -3_000_000_000),
            (Duration(secondsComponent: 0, attosecondsComponent: -1), 0),
            (Duration(secondsComponent: 0, attosecondsComponent: -1_000_000_001), -1),
            (Duration(secondsComponent: -1, attosecondsComponent: -1), -1_000_000_000)))
    func rounding(duration: Duration, nanoseconds: Int64) {
        #expect(duration.nanosecondsRoundedUp == nanoseconds)
    }

    @Test("an enormous duration saturates")
    func saturation() {
        #expect(Duration.seconds(Int64.max).nanosecondsRoundedUp == .max)
        #expect(Duration.seconds(Int64.min).nanosecondsRoundedUp == .min)
        #expect(Duration.seconds(9_223_372_036).nanosecondsRoundedUp == 9_223_372_036_000_000_000)
        #expect(Duration.seconds(9_223_372_037).nanosecondsRoundedUp == .max)
        #expect(Duration.nanoseconds(Int64.max).nanosecondsRoundedUp == .max)
        #expect(Duration.seconds(-9_223_372_037).nanosecondsRoundedUp == .min)
    }

    @Test("moving stops at the ends of time")
    func advanced() {
        #expect(second.advanced(by: .seconds(2)).nanoseconds == 3_000_000_000)
        #expect(second.advanced(by: .seconds(-1)).nanoseconds == 0)
        #expect(second.advanced(by: .seconds(-2)).nanoseconds == 0)
        #expect(second.advanced(by: .seconds(Int64.max)) == .never)
        #expect(second.advanced(by: .seconds(Int64.min)).nanoseconds == 0)
        #expect(EventLoop.Instant.never.advanced(by: .seconds(1)) == .never)
        #expect(EventLoop.Instant(nanoseconds: .max - 1).advanced(by: .nanoseconds(2)) == .never)
        #expect(second.advanced(by: Duration(secondsComponent: 0, attosecondsComponent: 1)) > second)
    }

    @Test("never is later than everything, and moving back from it does not bring it near")
    func never() {
        #expect(second < .never)
        #expect(EventLoop.Instant.never.advanced(by: .zero) == .never)
        #expect("\(EventLoop.Instant.never)" == "never")
        #expect("\(second)" == "1.0 s")
    }

    @Test("the duration between two instants is exact in both directions")
    func duration() {
        let later = second.advanced(by: .nanoseconds(1_500_000_001))
        #expect(second.duration(to: later) == .nanoseconds(1_500_000_001))
        #expect(later.duration(to: second) == .nanoseconds(-1_500_000_001))
        #expect(second.duration(to: second) == .zero)
        let origin = EventLoop.Instant(nanoseconds: 0)
        let whole = origin.duration(to: .never)
        #expect(whole.components.seconds == Int64(UInt64.max / 1_000_000_000))
        #expect(whole.components.attoseconds == Int64(UInt64.max % 1_000_000_000) * 1_000_000_000)
    }

    @Test("moving by the duration between two instants leads from one to the other")
    func roundTrip() {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<1000 {
            // Half the range, so that the distance fits a duration's nanoseconds.
            let first = EventLoop.Instant(nanoseconds: .random(in: 0...(.max >> 1), using: &random))
            let second = EventLoop.Instant(nanoseconds: .random(in: 0...(.max >> 1), using: &random))
            #expect(first.advanced(by: first.duration(to: second)) == second)
        }
    }
}
