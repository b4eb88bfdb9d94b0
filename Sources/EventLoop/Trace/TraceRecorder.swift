import Glibc
import Synchronization

/// Writes down what one loop does, for a ``Trace``. How a task's steps are followed stands in
/// ``TraceRecorder/stepBegan(_:)`` and what comes after it.
///
/// Used on the loop's thread, but for ``stop()`` and the log.
final class TraceRecorder: LoopObserver, @unchecked Sendable {
    let name: String
    let log: TraceLog
    private weak let owner: Engine?
    /// The same. It holds this observer, so it is there whenever this is told something.
    unowned(unsafe) let engine: Engine
    private let isStopped = Atomic<Bool>(false)

    var rows = TraceRows()
    /// What runs: a step's task, and within it those that take their first step at once. -1: no task.
    var running: [Int] = []
    /// Jobs of the runtime's that end a Task.sleep.
    var sleepEnds: Set<UInt> = []
    /// Calls that another thread has left, and the number of the message.
    var postedCalls: [ObjectIdentifier: UInt32] = [:]
    /// On whose account things become ready now.
    var cause = TraceEvent.Cause.nobody
    /// When a job of the runtime's began that has not yet shown whose step it is.
    var runtimeJobBegan: UInt64?
    private var postCount: UInt32 = 0
    private var thread: CInt = 0
    /// The end of what came just before, which is when the next thing begins: a clock read less.
    var lastEnd: UInt64?

    init(engine: Engine, name: String, capacity: Int) {
        owner = engine
        self.engine = engine
        self.name = name
        log = TraceLog(capacity: capacity)
    }

    // MARK: - Its life

    func start() {
        engine.originsWanted.wrappingAdd(1, ordering: .relaxed)
        addKnownTasks()
        engine.add(self)
    }

    func records(_ engine: Engine) -> Bool { owner === engine && !isStopped.load(ordering: .relaxed) }

    /// Ends the recording. From any thread.
    func stop() {
        let stopped = isStopped.compareExchange(expected: false, desired: true, ordering: .relaxed)
        guard stopped.exchanged, let engine = owner else { return }
        engine.originsWanted.wrappingSubtract(1, ordering: .relaxed)
        if engine.isOnLoopThread || !engine.isRunning {
            finish()
        } else {
            engine.post(.perform { self.finish() })
        }
    }

    private func finish() {
        log.add(TraceEvent(time: now, row: 0, what: .stopped))
        engine.remove(self)
    }

    /// The loop's time as long as it records; nil when the last event says how far the trace goes.
    var currentTime: UInt64? {
        guard !isStopped.load(ordering: .relaxed), let engine = owner, engine.isRunning else { return nil }
        return engine.reactorNow().nanoseconds
    }

    // MARK: - Writing

    var now: UInt64 { engine.reactor.now.nanoseconds }

    @inline(__always)
    func add(_ what: TraceEvent.What, row: UInt32 = 0, at time: UInt64) {
        guard !isStopped.load(ordering: .relaxed) else { return }
        log.add(TraceEvent(time: time, row: row, what: what))
    }

    // MARK: - The loop

    func idleBegan() { add(.idleBegan, at: now) }

    func idleEnded() { add(.idleEnded, at: now) }

    func turnBegan(events: Int, ready: Int) {
        learnThread()
        cause = .nobody
        let time = now
        lastEnd = time
        add(.turnBegan(events: UInt32(clamping: events), ready: UInt32(clamping: ready)), at: time)
    }

    func turnEnded() {
        add(.turnEnded, at: lastEnd ?? now)
        lastEnd = nil
    }

    func timerFired(_ token: WaiterToken, lateness: Duration) {
        let lateness = UInt32(clamping: lateness.nanosecondsRoundedUp)
        cause = .timer(lateness: lateness)
        add(.timerFired(lateness: lateness), at: now)
    }

    func descriptorReady(_ descriptor: CInt, _ readiness: Reactor.Readiness) {
        cause = .descriptor(descriptor)
        add(.descriptorReady(descriptor, readiness.rawValue), at: now)
    }

    private func learnThread() {
        guard thread == 0 else { return }
        thread = ThreadNumber.current
        log.setThread(thread)
    }

    func messageTaken(from origin: Inbox.Origin) {
        learnThread()
        guard origin.thread != thread else {
            cause = .nobody
            return
        }
        postCount &+= 1
        cause = .post(postCount)
        if threadsSeen.insert(origin.thread).inserted {
            log.setName(nameOfThread(origin.thread), ofThread: origin.thread)
        }
        add(.posted(thread: origin.thread), at: origin.time.nanoseconds)
        add(.taken(post: postCount), at: now)
    }

    private var threadsSeen: Set<CInt> = []
}

/// The name that the kernel has for a thread of this process, with the thread's number.
private func nameOfThread(_ thread: CInt) -> String {
    var bytes = [UInt8](repeating: 0, count: 32)
    let file = open("/proc/self/task/\(thread)/comm", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "thread \(thread)" }
    defer { close(file) }
    let count = max(0, read(file, &bytes, bytes.count))
    let name = String(decoding: bytes.prefix(count).prefix { $0 != 10 }, as: UTF8.self)
    return name.isEmpty ? "thread \(thread)" : "thread \(thread) (\(name))"
}
