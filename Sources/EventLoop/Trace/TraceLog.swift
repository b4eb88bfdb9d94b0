import Synchronization

/// What one loop has recorded. A ``TraceWriter`` fills it on the loop's thread; any thread may read, at any
/// time.
///
/// The events stand in parts of a fixed size, and a part that is full is not changed any more. An event
/// costs a store and the store of its part's new length; a lock is taken for each new part, and for each
/// new task.
final class TraceLog: Sendable {
    final class Part: @unchecked Sendable {
        let events: UnsafeMutablePointer<TraceEvent>
        /// How many events are there to read.
        let count = Atomic<Int>(0)

        init(capacity: Int) { events = .allocate(capacity: capacity) }

        deinit { events.deallocate() }
    }

    private struct Shared {
        var parts: [Part] = []
        var infos: [UInt32: TraceTaskInfo] = [:]
        var threadNames: [CInt: String] = [:]
        var thread: CInt = 0
        var sites: [TraceSite] = []
        /// Tasks that have ended, and the number of the event after which nothing is about them.
        var ended: [(row: UInt32, event: Int)] = []
        var dropped = 0
    }

    let partCapacity: Int
    private let partLimit: Int
    private let shared = Mutex(Shared())
    /// The nanosecond after the one in which the recording was stopped, or 0.
    private let stopped = Atomic<UInt64>(0)

    init(capacity: Int) {
        partCapacity = min(8192, capacity / 4)
        partLimit = capacity / partCapacity
    }

    // MARK: - Writing

    /// Makes room for more events, at the oldest ones' expense if there are too many.
    func addPart() -> Part {
        let part = Part(capacity: partCapacity)
        shared.withLock { shared in
            shared.parts.append(part)
            guard shared.parts.count > partLimit else { return }
            shared.parts.removeFirst()
            shared.dropped += partCapacity
            let gone = shared.ended.prefix { $0.event < shared.dropped }
            for (row, _) in gone { shared.infos[row] = nil }
            shared.ended.removeFirst(gone.count)
        }
        return part
    }

    func add(_ info: TraceTaskInfo, for row: UInt32) {
        shared.withLock { $0.infos[row] = info }
    }

    func change(_ row: UInt32, _ change: (inout TraceTaskInfo) -> Void) {
        shared.withLock { shared in
            guard let index = shared.infos.index(forKey: row) else { return }
            change(&shared.infos.values[index])
        }
    }

    /// Nothing is about the row from that event on: its task goes when that is dropped.
    func end(_ row: UInt32, before event: Int) {
        shared.withLock { $0.ended.append((row, event)) }
    }

    /// Returns the place's number, from 1.
    func addSite(_ site: TraceSite) -> UInt32 {
        shared.withLock { shared in
            shared.sites.append(site)
            return UInt32(shared.sites.count)
        }
    }

    /// The thread that runs the loop, by its number in the kernel.
    func setThread(_ thread: CInt) {
        shared.withLock { $0.thread = thread }
    }

    func setName(_ name: String, ofThread thread: CInt) {
        shared.withLock { $0.threadNames[thread] = name }
    }

    /// What is written from here on is not kept. From any thread.
    func stop(at time: UInt64) {
        stopped.store(time + 1, ordering: .releasing)
    }

    var isStopped: Bool { stopped.load(ordering: .relaxed) != 0 }

    // MARK: - Reading

    /// When the recording was stopped.
    var end: UInt64? {
        let time = stopped.load(ordering: .acquiring)
        return time == 0 ? nil : time - 1
    }

    struct Snapshot {
        var events: [TraceEvent] = []
        var infos: [UInt32: TraceTaskInfo] = [:]
        var threadNames: [CInt: String] = [:]
        var thread: CInt = 0
        var sites: [TraceSite] = []
        var dropped = 0
    }

    var snapshot: Snapshot {
        let shared = shared.withLock { $0 }
        var events: [TraceEvent] = []
        for part in shared.parts {
            let count = part.count.load(ordering: .acquiring)
            events.append(contentsOf: UnsafeBufferPointer(start: part.events, count: count))
        }
        return Snapshot(
            events: events, infos: shared.infos, threadNames: shared.threadNames, thread: shared.thread,
            sites: shared.sites, dropped: shared.dropped)
    }

    var droppedEvents: Int { shared.withLock { $0.dropped } }
}

/// The writing end of a log, on the loop's thread.
struct TraceWriter {
    // Not retained for each event: the recorder holds the log, and that its newest part.
    unowned(unsafe) let log: TraceLog
    private var part: Unmanaged<TraceLog.Part>?
    private var count: Int
    /// Events in the parts before this one.
    private var earlier = 0
    private var rowCount: UInt32 = 0

    init(log: TraceLog) {
        self.log = log
        count = log.partCapacity
    }

    @inline(__always)
    mutating func add(_ event: TraceEvent) {
        if log.isStopped { return }
        if count == log.partCapacity { addPart() }
        part.unsafelyUnwrapped._withUnsafeGuaranteedRef { part in
            (part.events + count).initialize(to: event)
            count += 1
            part.count.store(count, ordering: .releasing)
        }
    }

    @inline(never)
    private mutating func addPart() {
        if part != nil { earlier += count }
        part = .passUnretained(log.addPart())
        count = 0
    }

    /// Makes a row for a task, and returns its number.
    mutating func addRow(_ info: TraceTaskInfo) -> UInt32 {
        rowCount += 1
        log.add(info, for: rowCount)
        return rowCount
    }

    /// No further event is about the row.
    func end(_ row: UInt32) {
        log.end(row, before: part == nil ? 0 : earlier + count)
    }
}
