/// Watches a loop's steps for debug mode: how long each takes, and since when each wait lasts.
final class DebugObserver: LoopObserver {
    // Not retained: the engine retains its observers.
    private unowned(unsafe) let engine: Engine
    private let mode: DebugMode
    private let nanosecondsNow: () -> UInt64
    private let watchdog: Watchdog
    private var step: RunningStep?
    /// By the slot of the wait in the table of waiters: a later wait there takes its place.
    private var waits: [ObservedWait?] = []

    /// - Parameter nanosecondsNow: The clock that steps are measured by.
    init(engine: Engine, mode: DebugMode, nanosecondsNow: @escaping () -> UInt64 = { realNanoseconds() }) {
        self.engine = engine
        self.mode = mode
        self.nanosecondsNow = nanosecondsNow
        watchdog = Watchdog(mode: mode)
    }

    // MARK: - Steps

    private struct RunningStep {
        /// Of the task, or 0.
        let address: UInt
        let began: UInt64
        var work: RunningWork
    }

    func runBegan() { watchdog.start() }

    func runEnded() { watchdog.stop() }

    func stepBegan(_ step: LoopStep) {
        let work: RunningWork
        var address: UInt = 0
        switch step {
        case .task(let task):
            address = task
            work = .task(engine.taskIndex[task])
        case .call(let call): work = .call(call)
        }
        watchdog.stepBegan(work)
        self.step = RunningStep(address: address, began: nanosecondsNow(), work: work)
    }

    /// In its first step a task makes itself known, and in its last it is forgotten again.
    func taskBegan(_ node: TaskNode) {
        guard step?.address == currentTask().address else { return }
        let work = RunningWork.task(node)
        step?.work = work
        watchdog.stepIs(of: work)
    }

    func stepEnded(_ step: LoopStep, node: TaskNode?) {
        guard let ended = self.step else { return }
        self.step = nil
        let now = nanosecondsNow()
        let took = Duration.nanoseconds(Int64(now - ended.began))
        watchdog.stepEnded(at: now)
        if took >= mode.slowStepThreshold { mode.report(.slowStep(of: ended.work.described, took: took)) }
    }

    // MARK: - Waits

    struct ObservedWait {
        let token: WaiterToken
        /// On the loop's clock.
        let began: EventLoop.Instant
        /// Of a task that the loop started.
        let taskID: UInt64?
        /// Of another one, if it has a name.
        let taskName: String?
    }

    func waitBegan(_ token: WaiterToken) {
        let slot = Int(UInt32(truncatingIfNeeded: token.rawValue))
        while waits.count <= slot { waits.append(nil) }
        let node = engine.currentNode
        let name = node == nil ? Task.name : nil
        waits[slot] = ObservedWait(
            token: token, began: engine.reactor.now, taskID: node?.id, taskName: name)
    }

    /// What is known of a wait that is under way.
    func observedWait(_ token: WaiterToken) -> ObservedWait? {
        let slot = Int(UInt32(truncatingIfNeeded: token.rawValue))
        guard slot < waits.count, let wait = waits[slot], wait.token == token else { return nil }
        return wait
    }
}

/// What a step is of, as long as it runs: put into words only for a report.
enum RunningWork: Sendable {
    case call(ScheduledCall)
    case task(TaskNode?, owner: TaskRecord?)

    /// The owner is looked up here because only the loop's thread may.
    static func task(_ node: TaskNode?) -> RunningWork { .task(node, owner: node?.owningRecord) }

    var described: DebugReport.Work {
        switch self {
        case .call(let call): DebugReport.Work(call)
        case .task(let node, let owner): DebugReport.Work(node, in: owner)
        }
    }
}

/// CLOCK_MONOTONIC, whatever the loop's clock is.
func realNanoseconds() -> UInt64 { EventLoop.Instant.real(in: .zero).nanoseconds }
