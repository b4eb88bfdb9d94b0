import Glibc
import Synchronization

/// What one or several loops did, moment by moment, to look at: in Perfetto or chrome://tracing
/// (``writeChromeJSON(to:)``), in any browser (``writeHTML(to:title:)``), or in a program's own chart
/// (``tasks``).
///
///     let trace = Trace()
///     trace.record("fetch A", on: "blocking") { fetchAndBlock("A") }
///     try EventLoop.run(trace: trace) { try await gather(…) }
///     try trace.writeHTML(to: "trace.html")
///
/// Any number of loops on any threads may record into one trace (``EventLoop/record(into:name:)``), and
/// ``record(_:on:_:)`` adds what blocking code does, at the same scale. Times are those of the loops' clocks,
/// in nanoseconds; a virtual clock's, too, where a step takes no time.
///
/// What it costs: nothing that can be measured while no trace is recorded (a load and a branch for each
/// step, wait and wake-up: 11 of the 2,205 instructions of a yield). Recording costs some 250 ns for each
/// step and a microsecond for each task, and 24 bytes for each event, of which a step has two to four;
/// nothing is allocated for an event.
///
/// All members may be used from any thread, at any time.
public final class Trace: Sendable {
    struct State {
        var recorders: [TraceRecorder] = []
        var lanes: [Lane] = []
        var workCount = 0
        var droppedWork = 0
        var isReal: Bool?
        var isStopped = false
    }

    struct Lane {
        let name: String
        var work: [TracedWork] = []
    }

    let capacity: Int
    let state = Mutex(State())

    /// Makes a trace that nothing is recorded into yet.
    ///
    /// - Parameter capacity: How many events are kept for each loop, and how many spans of blocking code in
    ///   all. When there are more, the oldest of a loop's go, a part at a time, and the newest spans are not
    ///   kept; ``droppedEvents`` says how many. A million takes 24 MB for each loop, once it is full, and
    ///   some 300 bytes for each task that they are about.
    /// - Precondition: At least 16.
    public init(capacity: Int = 1_000_000) {
        precondition(capacity >= 16, "A trace needs room for at least 16 events.")
        self.capacity = capacity
    }

    /// How many events had to make room, or found none.
    public var droppedEvents: Int {
        state.withLock { state in
            state.recorders.reduce(state.droppedWork) { $0 + $1.log.droppedEvents }
        }
    }

    /// Ends the recording on all loops: what happens from here on is not in the trace. Calling it again does
    /// nothing. A loop that goes ends its own recording.
    public func stop() {
        let recorders = state.withLock { state in
            state.isStopped = true
            return state.recorders
        }
        for recorder in recorders { recorder.stop() }
    }

    /// Measures `body` as a span in a row of its own, whether or not the thread runs a loop.
    ///
    /// The time is that of the thread's loop, if one runs here, and otherwise CLOCK_MONOTONIC, which is also
    /// that of all loops with a real clock.
    ///
    /// - Parameters:
    ///   - name: What the span is called.
    ///   - lane: The row that it stands in, made with its first span. Spans of several threads may share one.
    /// - Returns: What the body returned.
    /// - Throws: What the body threw.
    /// - Precondition: The trace's other times are of the same kind of clock: real, or not.
    @discardableResult
    public func record<Value, Failure: Error>(
        _ name: String, on lane: String = "blocking", _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let engine = EventLoop.currentIfAny?.engine
        checkClock(isReal: engine?.isReal ?? true)
        let start = engine?.reactorNow() ?? .machine
        defer { add(TracedWork(name: name, start: start, end: engine?.reactorNow() ?? .machine), to: lane) }
        return try body()
    }

    private func add(_ work: TracedWork, to lane: String) {
        state.withLock { state in
            guard !state.isStopped else { return }
            guard state.workCount < capacity else {
                state.droppedWork += 1
                return
            }
            state.workCount += 1
            let index = state.lanes.firstIndex { $0.name == lane } ?? state.lanes.count
            if index == state.lanes.count { state.lanes.append(Lane(name: lane)) }
            state.lanes[index].work.append(work)
        }
    }

    /// Times of different clocks have nothing to do with each other.
    func checkClock(isReal: Bool) {
        let isSame = state.withLock { state in
            if state.isReal == nil { state.isReal = isReal }
            return state.isReal == isReal
        }
        precondition(
            isSame,
            "A trace has times of one kind of clock: record what runs in real time and what does not into two traces."
        )
    }

    // MARK: - What was recorded

    /// All tasks of all loops, in the order of their spawning on each.
    ///
    /// A task that has ended is here as long as any of its events is: see ``init(capacity:)``.
    public var tasks: [TracedTask] { TraceContents(of: self).tasks }

    /// The loops, in the order in which they began to record.
    public var loops: [TracedLoop] { TraceContents(of: self).loops }

    /// The rows of blocking code, in the order in which they were made; the spans in the order of their
    /// start.
    public var lanes: [TracedLane] {
        state.withLock { $0.lanes }.map { lane in
            TracedLane(name: lane.name, spans: lane.work.sorted { $0.start < $1.start })
        }
    }
}

extension EventLoop.Instant {
    /// The machine's clock, which that of a loop in real time is, too.
    static var machine: EventLoop.Instant {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return EventLoop.Instant(nanoseconds: UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec))
    }
}
