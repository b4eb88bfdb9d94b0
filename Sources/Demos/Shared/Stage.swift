import EventLoop
import Glibc

/// What the command line gives to a lesson: its time, its loops, and whether it may talk.
///
/// In real time a second is a second. With --fast, lessons that only sleep run on virtual time, and those
/// with sockets or threads in time lapse; both print what they would print in real time.
@MainActor
enum Stage {
    enum Time {
        case real
        case virtual
        /// So many times as fast.
        case lapse(Int)
    }

    static var time = Time.real
    static var isQuiet = false
    static var progress: Progress?

    private static let start = SuspendingClock.now
    /// Virtual time that has passed so far, apart from the loop that runs now.
    private static var passed = Duration.zero
    private(set) static var sectionStart = Duration.zero
    /// What is recorded for the chart.
    private static var chartTrace: Trace?

    /// `EventLoop.run`, on the clock of the command line's choice, and recorded for the chart.
    @discardableResult
    static func run<Success: Sendable>(
        debug: Bool? = nil, fileID: String = #fileID, line: UInt = #line,
        _ body: @escaping @MainActor () async throws -> Success
    ) throws -> Success {
        let trace = Trace()
        chartTrace = trace
        defer { chartTrace = nil }
        let isVirtual = if case .virtual = time { true } else { false }
        var loopStart: (onLoop: EventLoop.Instant, onStopwatch: Duration)?
        var end = Duration.zero
        defer {
            if let loopStart { Recording.add(trace, from: loopStart.onLoop, at: loopStart.onStopwatch) }
            if isVirtual { passed += end }
        }
        return try EventLoop.run(
            clock: isVirtual ? .virtual : .monotonic, debug: debug, trace: Recording.file, fileID: fileID,
            line: line
        ) {
            loopStart = (EventLoop.current.now, now)
            EventLoop.current.record(into: trace)
            defer { end = EventLoop.current.sinceStart }
            return try await body()
        }
    }

    /// Has the chart show what another loop does, too.
    static func record(_ thread: LoopThread, _ name: String) {
        let traces = [chartTrace, Recording.file].compactMap { $0 }
        thread.loop.callSoonThreadSafe {
            for trace in traces { EventLoop.current.record(into: trace, name: name) }
        }
    }

    /// Stops the whole thread for `duration`: what a program does that knows no event loop.
    static func block(_ name: String, for duration: Duration) {
        Stage.blocking(name) {
            if case .virtual = time { passed += duration } else { blockThread(for: lapsed(duration)) }
        }
    }

    /// Blocking work: a row of the chart.
    static func blocking<Value>(_ name: String, _ work: () throws -> Value) rethrows -> Value {
        let start = now
        defer { Recording.add(name, from: start, to: now) }
        return try Recording.file?.record(name, on: "blocking", work) ?? work()
    }

    /// What `duration` is for a server or a thread, which know nothing of virtual time.
    static func lapsed(_ duration: Duration) -> Duration { duration / lapseFactor }

    /// How many times as fast the lesson goes.
    static var lapseFactor: Int {
        if case .lapse(let factor) = time { factor } else { 1 }
    }

    // MARK: - The stopwatch

    /// The time since the section began.
    static var elapsed: Duration { now - sectionStart }

    static func restartStopwatch() {
        sectionStart = now
        progress?.restart(factor: lapseFactor)
    }

    private static var now: Duration {
        switch time {
        case .real: SuspendingClock.now - start
        case .lapse(let factor): (SuspendingClock.now - start) * factor
        case .virtual: passed + (EventLoop.currentIfAny?.sinceStart ?? .zero)
        }
    }
}

extension EventLoop {
    /// How far a virtual clock has come.
    fileprivate var sinceStart: Duration { Instant(nanoseconds: 0).duration(to: now) }
}

// MARK: - What lessons print

/// Prints lines in the place of the progress line.
@MainActor
func put(_ text: String) {
    Stage.progress?.clear()
    print(text)
}

/// What the lesson shows, which stands in the file that calls this.
@MainActor
func title(_ text: String, fileID: String = #fileID) {
    put("\n" + Console.styled(text, .bold))
    Stage.restartStopwatch()
    Recording.begin(lesson: "Sources/\(fileID)")
    Recording.begin(text, at: Stage.sectionStart)
}

/// A part of it, with a stopwatch of its own.
@MainActor
func section(_ text: String) {
    if !Stage.isQuiet { put("\n  " + Console.styled(text, .cyan) + "\n") }
    Stage.restartStopwatch()
    Recording.begin(text, at: Stage.sectionStart)
}

/// A line with the time since the section began.
@MainActor
func log(_ text: String) {
    Recording.told()
    guard !Stage.isQuiet else { return }
    let time = Stage.elapsed.inSeconds.aligned(right: 8)
    put("  \(Console.styled(time, .dim))   \(text)")
}

/// A line without one.
@MainActor
func show(_ text: String) {
    if !Stage.isQuiet { put("             \(text)") }
}

/// ``log(_:)`` for any thread, within the section that it was made in.
@MainActor
func threadSafeLog() -> @Sendable (String) -> Void {
    guard !Stage.isQuiet else { return { _ in } }
    let (start, elapsed, factor) = (SuspendingClock.now, Stage.elapsed, Stage.lapseFactor)
    let progress = Stage.progress
    return { text in
        let time = (elapsed + (SuspendingClock.now - start) * factor).inSeconds.aligned(right: 8)
        progress?.clear()
        print("  \(Console.styled(time, .dim))   \(text)")
    }
}

/// How long the section took.
@MainActor @discardableResult
func total() -> Duration {
    let total = Stage.elapsed
    put("  \(Console.styled(total.inSeconds.aligned(right: 8) + "   in total", .bold))")
    return total
}

/// What there was to learn.
@MainActor
func conclude(_ text: String) {
    put("\n  \(text)")
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

    /// The same, of what should take all cores.
    static func speedUpByCores(from slow: Duration, to fast: Duration) -> String {
        let hint = slow / fast < 1.3 ? " (the cores were busy with something else)" : ""
        return speedUp(from: slow, to: fast) + hint
    }
}
