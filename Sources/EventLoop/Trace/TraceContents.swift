/// What a trace holds when it is read: spans made of events.
struct TraceContents {
    var tasks: [TracedTask] = []
    var loops: [TracedLoop] = []

    init(of trace: Trace) {
        let recorders = trace.state.withLock { $0.recorders }
        let snapshots = recorders.map { (recorder: $0, log: $0.log.snapshot, end: $0.end) }
        var threadNames: [CInt: String] = [:]
        for (recorder, log, _) in snapshots where log.thread != 0 {
            threadNames[log.thread] = "loop \(recorder.name)"
        }
        for (number, (recorder, log, end)) in snapshots.enumerated() {
            let names = log.threadNames.merging(threadNames) { $1 }
            var reader = TraceReader(
                loop: recorder.name, number: number, end: end, log: log, threadNames: names)
            reader.read()
            tasks += reader.tasks
            loops.append(reader.loop)
        }
    }
}

/// Makes spans of one loop's events.
struct TraceReader {
    private let name: String
    private let number: Int
    private let log: TraceLog.Snapshot
    private let threadNames: [CInt: String]
    /// How far the trace goes: what is open then ends there.
    private let end: EventLoop.Instant

    private var rows: [UInt32: TraceRowReader] = [:]
    private var turns: [TracedTurn] = []
    private var idle: [TracedIdle] = []
    private var steps: [TracedStep] = []
    private var timers: [TracedTimer] = []
    private var descriptorEvents: [TracedDescriptorEvent] = []
    private var posts: [TracedPost] = []
    // What is open, and what is not yet complete.
    private var openTurn: (start: EventLoop.Instant, events: UInt32, ready: UInt32)?
    private var idleStart: EventLoop.Instant?
    /// Where in ``steps`` the open ones stand, by their rows; the call's under 0.
    private var openSteps: [UInt32: Int] = [:]
    private var postIndices: [UInt32: Int] = [:]
    private var postOfRow: [UInt32: UInt32] = [:]
    private var lastPosted: (thread: CInt, time: EventLoop.Instant)?

    init(
        loop name: String, number: Int, end: UInt64, log: TraceLog.Snapshot, threadNames: [CInt: String]
    ) {
        self.name = name
        self.number = number
        self.log = log
        self.threadNames = threadNames
        // Whose step it is may be found out after its beginning: the last event is not always the latest.
        self.end = EventLoop.Instant(nanoseconds: max(end, log.events.lazy.map(\.time).max() ?? 0))
    }

    /// The task's number in the whole trace: those of one loop are next to each other.
    private func id(_ row: UInt32) -> Int { number << 32 | Int(row) }

    private func name(of row: UInt32) -> String {
        guard let info = log.infos[row] else { return "a task that is no longer in the trace" }
        return info.name ?? "plain task \(info.jobID)"
    }

    // MARK: - Results

    var tasks: [TracedTask] {
        rows.sorted { $0.key < $1.key }.map { row, reader in
            let info = log.infos[row]!
            let spawned = EventLoop.Instant(nanoseconds: info.spawned)
            return TracedTask(
                id: id(row), name: name(of: row), parentID: rows[info.parent] == nil ? nil : id(info.parent),
                loop: name, fileID: info.fileID, line: info.line, spawned: spawned, began: reader.began,
                ended: reader.ended, spans: reader.spans)
        }
    }

    var loop: TracedLoop {
        TracedLoop(
            name: name, turns: turns, idle: idle, steps: steps, timers: timers,
            descriptorEvents: descriptorEvents, posts: posts, droppedEvents: log.dropped)
    }

    // MARK: - Reading

    mutating func read() {
        for event in log.events { read(event, at: EventLoop.Instant(nanoseconds: event.time)) }
        if let openTurn { endTurn(openTurn, at: end) }
        if let idleStart { idle.append(TracedIdle(start: idleStart, end: end)) }
        for row in openSteps.keys { endStep(row, at: end) }
        for row in rows.keys { rows[row]!.finish(at: end) }
    }

    private mutating func read(_ event: TraceEvent, at time: EventLoop.Instant) {
        switch event.what {
        case .turnBegan(let events, let ready):
            openTurn = (time, events, ready)
        case .turnEnded:
            if let openTurn { endTurn(openTurn, at: time) }
            openTurn = nil
        case .idleBegan:
            idleStart = time
        case .idleEnded:
            if let idleStart, idleStart < time { idle.append(TracedIdle(start: idleStart, end: time)) }
            idleStart = nil
        case .timerFired(let lateness):
            timers.append(TracedTimer(time: time, lateness: .nanoseconds(Int64(lateness))))
        case .descriptorReady(let descriptor, let readiness):
            descriptorEvents.append(
                TracedDescriptorEvent(
                    time: time, descriptor: descriptor,
                    readiness: Reactor.Readiness(rawValue: readiness).description))
        case .posted(let thread):
            lastPosted = (thread, time)
        case .taken(let post):
            guard let lastPosted else { break }
            postIndices[post] = posts.count
            posts.append(
                TracedPost(
                    thread: threadNames[lastPosted.thread] ?? "thread \(lastPosted.thread)",
                    posted: lastPosted.time, taken: time, taskID: nil, began: nil))
        case .callBegan(let call):
            beginStep(0, call.name, at: time, site: event.row)
            if case .posted(let post) = call { began(post, row: nil, at: time) }
        case .callEnded:
            endStep(0, at: time)
        case .ready, .stepBegan, .stepEnded:
            readRow(event, at: time)
        }
    }

    private mutating func readRow(_ event: TraceEvent, at time: EventLoop.Instant) {
        let row = event.row
        guard log.infos[row] != nil else { return }
        switch event.what {
        case .ready(let cause):
            if case .post(let post) = cause { postOfRow[row] = post }
            let words = describe(cause)
            rows[row, default: TraceRowReader()].ready(wokenBy: words, at: time)
        case .stepBegan:
            if let post = postOfRow.removeValue(forKey: row) { began(post, row: row, at: time) }
            rows[row, default: TraceRowReader()].begin(at: time)
            beginStep(row, name(of: row), at: time)
        case .stepEnded(let left):
            endStep(row, at: time)
            rows[row, default: TraceRowReader()].end(left, at: time)
        default:
            break
        }
    }

    private mutating func endTurn(
        _ turn: (start: EventLoop.Instant, events: UInt32, ready: UInt32), at time: EventLoop.Instant
    ) {
        turns.append(
            TracedTurn(start: turn.start, end: time, events: Int(turn.events), ready: Int(turn.ready)))
    }

    /// What a post has caused begins.
    private mutating func began(_ post: UInt32, row: UInt32?, at time: EventLoop.Instant) {
        guard let index = postIndices.removeValue(forKey: post) else { return }
        let former = posts[index]
        posts[index] = TracedPost(
            thread: former.thread, posted: former.posted, taken: former.taken,
            taskID: row.map(id), began: time)
    }

    private mutating func beginStep(
        _ row: UInt32, _ name: String, at time: EventLoop.Instant, site: UInt32 = 0
    ) {
        openSteps[row] = steps.count
        let site = site > 0 && site <= log.sites.count ? log.sites[Int(site) - 1] : nil
        steps.append(
            TracedStep(
                taskID: row == 0 ? nil : id(row), name: name, fileID: site?.fileID, line: site?.line,
                start: time, end: time))
    }

    private mutating func endStep(_ row: UInt32, at time: EventLoop.Instant) {
        guard let index = openSteps.removeValue(forKey: row) else { return }
        let step = steps[index]
        steps[index] = TracedStep(
            taskID: step.taskID, name: step.name, fileID: step.fileID, line: step.line, start: step.start,
            end: time)
    }

    private func describe(_ cause: TraceEvent.Cause) -> String? {
        switch cause {
        case .nobody: nil
        case .task(let row): "task \(name(of: row))"
        case .call: "a call"
        case .timer(let lateness):
            lateness == 0 ? "a timer" : "a timer, \(Double(lateness / 100) / 10) µs late"
        case .descriptor(let descriptor): "descriptor \(descriptor)"
        case .post(let post): postIndices[post].map { posts[$0].thread }
        }
    }
}
