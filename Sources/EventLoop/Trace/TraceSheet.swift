/// A whole trace as a drawing has it: rows below each other, in groups, with a common origin of time.
struct TraceSheet {
    enum Row {
        case lane(TracedLane)
        case thread(String)
        case loop(Int)
        /// - Parameter depth: How far it stands below its loop: a task below the one that started it.
        case task(TracedTask, depth: Int)
    }

    let rows: [Row]
    let loops: [TracedLoop]
    /// The earliest moment, which is a drawing's zero, and the last.
    let start: UInt64
    let end: UInt64
    /// Where the tasks stand, by their numbers, and the loops and the posting threads, by their names as a
    /// post has them.
    private(set) var rowOfTask: [Int: Int] = [:]
    private(set) var rowOfThread: [String: Int] = [:]
    private(set) var rowOfLoop: [Int] = []

    init(_ trace: Trace) {
        let contents = TraceContents(of: trace)
        var rows = trace.lanes.map { Row.lane($0) }
        loops = contents.loops
        let names = Set(contents.loops.map { "loop \($0.name)" })
        for thread in Set(contents.loops.flatMap { $0.posts.map(\.thread) }).subtracting(names).sorted() {
            rowOfThread[thread] = rows.count
            rows.append(.thread(thread))
        }
        let tasks = Dictionary(grouping: contents.tasks) { $0.id >> 32 }
        for (number, loop) in contents.loops.enumerated() {
            rowOfThread["loop \(loop.name)"] = rows.count
            rowOfLoop.append(rows.count)
            rows.append(.loop(number))
            rows += Self.tree(of: tasks[number] ?? [])
        }
        for (index, row) in rows.enumerated() {
            if case .task(let task, _) = row { rowOfTask[task.id] = index }
        }
        self.rows = rows
        let times = rows.flatMap(Self.times) + contents.loops.flatMap(Self.times)
        start = times.min() ?? 0
        end = times.max() ?? 0
    }

    /// Each task below the one that started it, and those of one in the order of their start.
    private static func tree(of tasks: [TracedTask]) -> [Row] {
        let known = Set(tasks.map(\.id))
        let children = Dictionary(grouping: tasks) { task in
            task.parentID.flatMap { known.contains($0) ? $0 : nil } ?? -1
        }
        var rows: [Row] = []
        // By hand, because a chain of tasks can be longer than the stack is deep.
        var pending = (children[-1] ?? []).reversed().map { ($0, depth: 1) }
        while let (task, depth) = pending.popLast() {
            rows.append(.task(task, depth: depth))
            pending += (children[task.id] ?? []).reversed().map { ($0, depth: depth + 1) }
        }
        return rows
    }

    /// Nanoseconds from the drawing's zero; what is older than everything that is drawn stands there.
    func offset(_ time: EventLoop.Instant) -> UInt64 {
        time.nanoseconds > start ? time.nanoseconds - start : 0
    }

    private static func times(_ row: Row) -> [UInt64] {
        switch row {
        case .lane(let lane):
            [lane.spans.map(\.start.nanoseconds).min(), lane.spans.map(\.end.nanoseconds).max()]
                .compactMap { $0 }
        case .task(let task, _):
            // Not when it was spawned, which may be long before the oldest event that is kept.
            [task.spans.first?.start.nanoseconds, task.spans.last?.end.nanoseconds].compactMap { $0 }
        case .thread, .loop: []
        }
    }

    private static func times(_ loop: TracedLoop) -> [UInt64] {
        let moments: [EventLoop.Instant?] = [
            loop.turns.first?.start, loop.turns.last?.end, loop.idle.first?.start, loop.idle.last?.end,
            loop.steps.first?.start, loop.timers.first?.time, loop.descriptorEvents.first?.time,
            loop.posts.map(\.posted).min(),
        ]
        return moments.compactMap { $0?.nanoseconds }
    }
}

/// What a drawing is called unless it is told: the program's name.
var programName: String {
    CommandLine.arguments.first?.split(separator: "/").last.map(String.init) ?? "program"
}
