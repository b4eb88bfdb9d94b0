/// Prints lines with the time since it was started.
struct Stopwatch {
    // CLOCK_MONOTONIC on Linux, like the loop's clock.
    private let start = SuspendingClock.now

    var elapsed: Duration { SuspendingClock.now - start }

    func log(_ text: String) {
        let time = elapsed.inSeconds.aligned(right: 8)
        print("  \(Console.styled(time, .dim))   \(text)")
    }

    /// Prints how long it took, and returns that.
    func total() -> Duration {
        let total = elapsed
        print("  \(Console.styled(total.inSeconds.aligned(right: 8) + "   in total", .bold))")
        return total
    }
}

extension Duration {
    /// Cut after hundredths, not rounded: what shows as 2.00 s has not come early.
    var inSeconds: String {
        let hundredths = Int(self / .milliseconds(10))
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) s"
    }

    static func speedUp(from slow: Duration, to fast: Duration) -> String {
        let tenths = Int((slow / fast * 10).rounded())
        return "\(slow.inSeconds) / \(fast.inSeconds) = \(tenths / 10).\(tenths % 10) times as fast"
    }
}
