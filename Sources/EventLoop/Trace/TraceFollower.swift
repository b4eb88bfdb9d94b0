import Glibc

/// Follows what one loop does, and writes it down. How it follows a task through its steps stands in
/// TraceSteps.swift, and whose steps they are in TraceIdentity.swift.
///
/// Used on the loop's thread.
struct TraceFollower {
    unowned(unsafe) let engine: Engine
    var writer: TraceWriter
    var rows = TraceRows()
    /// What runs: a step's task, and within it those that take their first step at once. -1: no task.
    var running: [Int] = []
    /// Jobs of the runtime's that end a Task.sleep.
    var sleepEnds: Set<UInt> = []
    /// Calls that another thread has left, and the number of the message.
    var postedCalls: [ObjectIdentifier: UInt32] = [:]
    /// On whose account things become ready now.
    var cause = TraceEvent.Cause.nobody
    /// The end of what came just before, which is when the next thing begins: a clock read less.
    var lastEnd: UInt64?
    /// When a job of the runtime's began that has not yet shown whose step it is.
    var runtimeJobBegan: UInt64?
    private var sites: [TraceSite: UInt32] = [:]
    private var postCount: UInt32 = 0
    private var thread: CInt = 0
    private var threadsSeen: Set<CInt> = []

    init(engine: Engine, writer: TraceWriter) {
        self.engine = engine
        self.writer = writer
    }

    var now: UInt64 { engine.reactor.now.nanoseconds }

    @inline(__always)
    mutating func add(_ what: TraceEvent.What, row: UInt32 = 0, at time: UInt64) {
        writer.add(TraceEvent(time: time, row: row, what: what))
    }

    // MARK: - The loop

    mutating func idleBegan() { add(.idleBegan, at: now) }

    mutating func idleEnded() { add(.idleEnded, at: now) }

    mutating func turnBegan(events: Int, ready: Int) {
        learnThread()
        cause = .nobody
        let time = now
        lastEnd = time
        add(.turnBegan(events: UInt32(clamping: events), ready: UInt32(clamping: ready)), at: time)
    }

    mutating func turnEnded() {
        add(.turnEnded, at: lastEnd ?? now)
        lastEnd = nil
    }

    mutating func timerFired(_ lateness: Duration) {
        let lateness = UInt32(clamping: lateness.nanosecondsRoundedUp)
        cause = .timer(lateness: lateness)
        add(.timerFired(lateness: lateness), at: now)
    }

    mutating func descriptorReady(_ descriptor: CInt, _ readiness: Reactor.Readiness) {
        cause = .descriptor(descriptor)
        add(.descriptorReady(descriptor, readiness.rawValue), at: now)
    }

    mutating func messageTaken(from origin: Inbox.Origin) {
        learnThread()
        guard origin.thread != thread else {
            cause = .nobody
            return
        }
        postCount &+= 1
        cause = .post(postCount)
        if threadsSeen.insert(origin.thread).inserted {
            writer.log.setName(nameOfThread(origin.thread), ofThread: origin.thread)
        }
        add(.posted(thread: origin.thread), at: origin.time.nanoseconds)
        add(.taken(post: postCount), at: now)
    }

    /// The number of the place where a call was scheduled.
    mutating func site(of call: ScheduledCall) -> UInt32 {
        let site = TraceSite(fileID: call.fileID, line: call.line)
        if let number = sites[site] { return number }
        sites[site] = writer.log.addSite(site)
        return sites[site]!
    }

    private mutating func learnThread() {
        guard thread == 0 else { return }
        thread = ThreadNumber.current
        writer.log.setThread(thread)
    }
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
