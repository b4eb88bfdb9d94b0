import Synchronization

/// What one loop has recorded. The loop's thread writes; any thread may read at any time.
///
/// The events stand in parts of a fixed size, and a part that is full is not changed any more. An event
/// costs a store and the store of its part's new length; a lock is taken for each new part, and for each
/// new task.
final class TraceLog: Sendable {
    private final class Part: @unchecked Sendable {
        let events: UnsafeMutablePointer<TraceEvent>
        /// How many events are there to read.
        let count = Atomic<Int>(0)
        let capacity: Int

        init(capacity: Int) {
            events = .allocate(capacity: capacity)
            self.capacity = capacity
        }

        deinit { events.deallocate() }
    }

    private struct Shared {
        var parts: [Part]
        var infos: [UInt32: TraceTaskInfo] = [:]
        var threadNames: [CInt: String] = [:]
        var thread: CInt = 0
        /// Tasks that have ended, and the number of the event after which nothing is about them.
        var ended: [(row: UInt32, event: Int)] = []
        var dropped = 0
    }

    private static let partSize = 8192
    private let partCapacity: Int
    private let partLimit: Int
    private let shared: Mutex<Shared>
    // The loop's thread alone uses these.
    nonisolated(unsafe) private var current: Part
    nonisolated(unsafe) private var length = 0
    nonisolated(unsafe) private var earlier = 0
    nonisolated(unsafe) private var rowCount: UInt32 = 0

    init(capacity: Int) {
        partCapacity = min(Self.partSize, capacity / 4)
        partLimit = capacity / partCapacity
        current = Part(capacity: partCapacity)
        shared = Mutex(Shared(parts: [current]))
    }

    // MARK: - Writing, on the loop's thread

    @inline(__always)
    func add(_ event: TraceEvent) {
        if length == partCapacity { addPart() }
        (current.events + length).initialize(to: event)
        length += 1
        current.count.store(length, ordering: .releasing)
    }

    @inline(never)
    private func addPart() {
        let part = Part(capacity: partCapacity)
        earlier += length
        shared.withLock { shared in
            shared.parts.append(part)
            guard shared.parts.count > partLimit else { return }
            shared.parts.removeFirst()
            shared.dropped += partCapacity
            let gone = shared.ended.prefix { $0.event < shared.dropped }
            for (row, _) in gone { shared.infos[row] = nil }
            shared.ended.removeFirst(gone.count)
        }
        current = part
        length = 0
    }

    /// Makes a row for a task, and returns its number.
    func addRow(_ info: TraceTaskInfo) -> UInt32 {
        rowCount += 1
        let row = rowCount
        shared.withLock { $0.infos[row] = info }
        return row
    }

    func change(_ row: UInt32, _ change: (inout TraceTaskInfo) -> Void) {
        shared.withLock { shared in
            if shared.infos[row] != nil { change(&shared.infos[row]!) }
        }
    }

    /// No further event is about the row: it goes with its last one.
    func end(_ row: UInt32) {
        let event = earlier + length
        shared.withLock { $0.ended.append((row, event)) }
    }

    /// The thread that runs the loop, by its number in the kernel.
    func setThread(_ thread: CInt) {
        shared.withLock { $0.thread = thread }
    }

    func setName(_ name: String, ofThread thread: CInt) {
        shared.withLock { $0.threadNames[thread] = name }
    }

    // MARK: - Reading

    struct Snapshot {
        var events: [TraceEvent] = []
        var infos: [UInt32: TraceTaskInfo] = [:]
        var threadNames: [CInt: String] = [:]
        var thread: CInt = 0
        var dropped = 0
    }

    var snapshot: Snapshot {
        let (parts, infos, names, thread, dropped) = shared.withLock {
            ($0.parts, $0.infos, $0.threadNames, $0.thread, $0.dropped)
        }
        var events: [TraceEvent] = []
        for part in parts {
            let count = part.count.load(ordering: .acquiring)
            events.append(contentsOf: UnsafeBufferPointer(start: part.events, count: count))
        }
        return Snapshot(events: events, infos: infos, threadNames: names, thread: thread, dropped: dropped)
    }

    var droppedEvents: Int { shared.withLock { $0.dropped } }
}
