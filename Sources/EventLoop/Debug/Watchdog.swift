import Glibc

/// A thread that sees when a step of a loop takes too long, and reports it while it lasts: the loop itself
/// can say nothing then.
final class Watchdog: Sendable {
    private struct Step {
        let number: UInt64
        let began: EventLoop.Instant
        var work: RunningWork
    }

    private struct State {
        var step: Step?
        /// When the last step that is over ended.
        var ended: (number: UInt64, time: UInt64) = (0, 0)
        var stepCount: UInt64 = 0
        /// Whether there is a thread, and whether it is to end.
        var isWatching = false
        var isEnding = false
        /// Whether the loop's thread blocked the signal that looks at it.
        var wasBlocked = false
    }

    private let monitor = Monitor(State())
    private let mode: DebugMode

    init(mode: DebugMode) {
        self.mode = mode
    }

    // MARK: - On the loop's thread

    /// Watches the calling thread. Without memory for one more thread, nobody does.
    func start() {
        guard let wasBlocked = ThreadBacktrace.open() else { return }
        let thread = pthread_self()
        monitor.withLock {
            $0.isWatching = true
            $0.wasBlocked = wasBlocked
        }
        let result = startThread(named: "loop watchdog", whenOver: { [self] in end() }) { [self] in
            watch(thread)
        }
        if result != 0 {
            monitor.withLock { $0.isWatching = false }
            ThreadBacktrace.close(wasBlocked)
        }
    }

    /// Returns when the thread looks at the calling one no more.
    func stop() {
        let wasBlocked = monitor.withLock { state -> Bool? in
            state.isEnding = true
            return state.isWatching ? state.wasBlocked : nil
        }
        if let wasBlocked {
            monitor.wakeAll()
            monitor.wait { $0.isWatching ? nil : () }
            ThreadBacktrace.close(wasBlocked)
        }
        monitor.withLock { $0.isEnding = false }
    }

    func stepBegan(_ work: RunningWork) {
        let now = EventLoop.Instant(nanoseconds: realNanoseconds())
        monitor.withLock {
            $0.stepCount += 1
            $0.step = Step(number: $0.stepCount, began: now, work: work)
        }
    }

    func stepIs(of work: RunningWork) {
        monitor.withLock { $0.step?.work = work }
    }

    /// - Parameter time: In nanoseconds on CLOCK_MONOTONIC.
    func stepEnded(at time: UInt64) {
        // What the step held may end with it, and must not do so under the lock.
        _ = monitor.withLock { state in
            defer { state.step = nil }
            state.ended = (state.stepCount, time)
            return state.step
        }
    }

    // MARK: - On a thread of its own

    /// The threshold may be lowered at any time, and nobody wakes this thread for that.
    private static let longestSleep = Duration.seconds(1)

    /// Sleeps until a step that runs now would have run for too long; without one, until one that begins at
    /// once would have.
    private func watch(_ thread: pthread_t) {
        var number: UInt64 = 0
        var threshold = mode.stallThreshold
        var limit = threshold
        var nextLook = EventLoop.Instant.real(in: min(limit, Self.longestSleep))
        while monitor.wait(until: nextLook, { $0.isEnding ? () : nil }) == nil {
            let step = monitor.withLock { $0.step }
            if step?.number != number || mode.stallThreshold != threshold {
                threshold = mode.stallThreshold
                limit = threshold
            }
            number = step?.number ?? 0
            nextLook = .real(in: min(limit, Self.longestSleep))
            guard let step else { continue }
            let lasting = step.began.duration(to: .real(in: .zero))
            if lasting >= limit {
                report(step, of: thread, lasting: lasting)
                while limit <= lasting { limit = limit * 2 }
            }
            nextLook = min(nextLook, step.began.advanced(by: limit))
        }
    }

    private func report(_ step: Step, of thread: pthread_t, lasting: Duration) {
        let (backtrace, time) = ThreadBacktrace.lines(of: thread)
        // It may be over by now, even by the signal, which ends some system calls; and the backtrace be
        // another's.
        let isOfStep = monitor.withLock { state in
            if let current = state.step, current.number == step.number { return true }
            return state.ended.number == step.number && time.map { $0 <= state.ended.time } == true
        }
        if isOfStep { mode.report(.stall(of: step.work.described, lasting: lasting, backtrace: backtrace)) }
    }

    private func end() {
        monitor.withLock { $0.isWatching = false }
        monitor.wakeAll()
    }
}
