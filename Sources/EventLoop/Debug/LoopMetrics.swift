/// What a loop has done since it was made, and what it has to do, at one moment.
public struct LoopMetrics: Sendable {
    /// How often it has looked for what has happened, and run what was ready then.
    public let turns: UInt64
    /// Events that the kernel and the timers have reported, wake-ups by other threads included.
    public let events: UInt64
    /// Steps: a task's run from one suspension to the next, or a call.
    public let steps: UInt64
    /// Timers that were due.
    public let timersFired: UInt64
    /// Steps that are ready: those that this turn has still to take, and those of the next, so far.
    public let readySteps: Int
    /// The most steps that were ready at the beginning of a turn.
    public let mostReadySteps: Int
    /// Tasks that the loop owns and that have not ended.
    public let tasks: Int
    /// Waits under way: of all parked tasks, and of calls that have a deadline or are called when something
    /// is done.
    public let waits: Int
    /// Timers that have been started, and neither fired nor been cancelled.
    public let timers: Int
    /// Descriptors that are watched.
    public let descriptors: Int
    /// How long steps took; nil without ``EventLoop/enableHistograms()``.
    public let stepTimes: DurationHistogram?
    /// How late timers fired, up to 4.3 seconds; nil without ``EventLoop/enableHistograms()``.
    public let timerLateness: DurationHistogram?
}

/// Measures steps and timers for the metrics. A step begins where the one before it in its turn ended, which
/// saves a look at the clock.
private final class HistogramObserver: LoopObserver {
    var stepTimes = DurationHistogram()
    var timerLateness = DurationHistogram()
    /// Nil in the step that has asked for the histograms.
    private var began: UInt64?

    func turnBegan(events: Int, ready: Int) {
        began = realNanoseconds()
    }

    func stepEnded(_ step: LoopStep, node: TaskNode?) {
        let now = realNanoseconds()
        if let began { stepTimes.add(nanoseconds: now - began) }
        began = now
    }

    func timerFired(_ token: WaiterToken, lateness: Duration) {
        timerLateness.add(lateness)
    }
}

extension EventLoop {
    /// What the loop has done and has to do, now. It costs some loads, and no more; the loop counts anyway.
    ///
    /// Traps while another thread runs the loop: hand it over with
    /// ``callSoonThreadSafe(fileID:line:_:)``.
    public var metrics: LoopMetrics {
        engine.assertMayBeUsedHere("metrics")
        let counts = engine.state.counts
        let histograms = engine.observer(HistogramObserver.self)
        return LoopMetrics(
            turns: counts.turns, events: counts.events, steps: counts.steps, timersFired: counts.timers,
            readySteps: engine.ready.count, mostReadySteps: counts.mostReady, tasks: engine.tasks.count,
            waits: engine.waiters.count, timers: engine.reactor.timerCount,
            descriptors: engine.observers.count,
            stepTimes: histograms?.stepTimes, timerLateness: histograms?.timerLateness)
    }

    /// Measures from the next step on how long steps take and how late timers are: see ``metrics``. It costs
    /// a look at the clock for each step and for each turn, some 60 ns each, and 19 KiB.
    ///
    /// Traps while another thread runs the loop.
    public func enableHistograms() {
        engine.assertMayBeUsedHere("enableHistograms")
        if engine.observer(HistogramObserver.self) == nil { engine.add(HistogramObserver()) }
    }

    /// Measures no more, and forgets what was measured.
    ///
    /// Traps while another thread runs the loop.
    public func disableHistograms() {
        engine.assertMayBeUsedHere("disableHistograms")
        if let observer = engine.observer(HistogramObserver.self) { engine.remove(observer) }
    }
}
