// A trace in the Trace Event Format, which Perfetto and chrome://tracing read.

extension Trace {
    /// Writes the trace as a file for https://ui.perfetto.dev or chrome://tracing (Trace Event Format, JSON).
    ///
    /// Each task is a thread there, below a thread for its loop with turns, steps and idle time; blocking
    /// code and posting threads have theirs. Posts from other threads are arrows; timers and descriptor
    /// events are instants on the loop. Times count from the trace's start.
    ///
    /// It blocks the thread until the file is written.
    ///
    /// - Throws: ``SystemError`` when the file cannot be written.
    public func writeChromeJSON(to path: String) throws {
        var writer = try ChromeWriter(path, TraceSheet(self))
        try writer.write()
        try writer.finish()
    }
}

private struct ChromeWriter: ~Copyable {
    private var file: TextFile
    private let sheet: TraceSheet
    private var isFirst = true

    init(_ path: String, _ sheet: TraceSheet) throws {
        self.sheet = sheet
        file = try TextFile(creating: path)
    }

    mutating func finish() throws {
        try file.write("\n]}\n")
        try file.flush()
    }

    mutating func write() throws {
        try file.write("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")
        try metadata("process_name", row: 0, name: programName)
        for (index, row) in sheet.rows.enumerated() {
            let name =
                switch row {
                case .lane(let lane): lane.name
                case .thread(let name): name
                case .loop(let number): "loop \(sheet.loops[number].name)"
                case .task(let task, _): task.name
                }
            try metadata("thread_name", row: index, name: name)
            try begin("M", "thread_sort_index", row: index)
            try file.write(",\"args\":{\"sort_index\":\(index)}}")
            switch row {
            case .lane(let lane):
                for span in lane.spans { try slice(span.name, row: index, span.start, span.end) }
            case .thread: break
            case .loop(let number): try write(sheet.loops[number], row: index)
            case .task(let task, _): try write(task, row: index)
            }
        }
        try writePosts()
    }

    private mutating func write(_ task: TracedTask, row: Int) throws {
        for (index, span) in task.spans.enumerated() {
            var arguments: [(String, String)] = []
            if index == 0, let fileID = task.fileID, let line = task.line {
                arguments.append(("spawned at", "\(fileID):\(line)"))
            }
            switch span.state {
            case .running:
                try slice(
                    task.name, row: row, span.start, span.end, color: "thread_state_running", arguments)
            case .ready:
                if let words = span.wokenBy { arguments.append(("woken by", words)) }
                try slice("ready", row: row, span.start, span.end, color: "thread_state_runnable", arguments)
            case .waiting(let reason):
                arguments.append(("waits for", reason))
                try slice(
                    "waits for \(reason)", row: row, span.start, span.end, color: "thread_state_sleeping",
                    arguments)
            }
        }
    }

    private mutating func write(_ loop: TracedLoop, row: Int) throws {
        for idle in loop.idle { try slice("idle", row: row, idle.start, idle.end, color: "grey") }
        for turn in loop.turns {
            try slice(
                "turn", row: row, turn.start, turn.end,
                [("events", "\(turn.events)"), ("ready", "\(turn.ready)")])
        }
        for step in loop.steps {
            var arguments: [(String, String)] = []
            if let fileID = step.fileID, let line = step.line {
                arguments.append(("scheduled at", "\(fileID):\(line)"))
            }
            try slice(step.name, row: row, step.start, step.end, arguments)
        }
        for timer in loop.timers {
            let lateness = Double(timer.lateness.nanosecondsRoundedUp) / 1000
            try instant("timer", row: row, timer.time, [("late", "\(lateness) µs")])
        }
        for event in loop.descriptorEvents {
            try instant(
                "descriptor \(event.descriptor)", row: row, event.time, [("ready for", event.readiness)])
        }
    }

    private mutating func writePosts() throws {
        var number = 0
        for (loopNumber, loop) in sheet.loops.enumerated() {
            for post in loop.posts {
                number += 1
                let source = sheet.rowOfThread[post.thread]!
                if case .thread = sheet.rows[source] {
                    // An arrow begins at a slice, so there is one, as short as can be seen.
                    try slice(
                        "post", row: source, post.posted,
                        EventLoop.Instant(nanoseconds: post.posted.nanoseconds + 100))
                }
                let target = post.taskID.flatMap { sheet.rowOfTask[$0] } ?? sheet.rowOfLoop[loopNumber]
                try flow("s", number, row: source, post.posted)
                try flow("f", number, row: target, post.began ?? post.taken)
            }
        }
    }

    // MARK: - Events

    private mutating func begin(_ phase: String, _ name: String, row: Int) throws {
        try file.write(isFirst ? "\n" : ",\n")
        isFirst = false
        try file.write("{\"ph\":\"\(phase)\",\"pid\":1,\"tid\":\(row + 1),\"name\":")
        try file.writeQuoted(name)
    }

    private mutating func metadata(_ kind: String, row: Int, name: String) throws {
        try begin("M", kind, row: row)
        try file.write(",\"args\":{\"name\":")
        try file.writeQuoted(name)
        try file.write("}}")
    }

    private mutating func slice(
        _ name: String, row: Int, _ from: EventLoop.Instant, _ to: EventLoop.Instant, color: String? = nil,
        _ arguments: [(String, String)] = []
    ) throws {
        try begin("X", name, row: row)
        try file.write(",\"ts\":\(microseconds(sheet.offset(from)))")
        try file.write(",\"dur\":\(microseconds(to.nanoseconds - from.nanoseconds))")
        if let color { try file.write(",\"cname\":\"\(color)\"") }
        try end(arguments)
    }

    private mutating func instant(
        _ name: String, row: Int, _ time: EventLoop.Instant, _ arguments: [(String, String)]
    ) throws {
        try begin("i", name, row: row)
        try file.write(",\"s\":\"t\",\"ts\":\(microseconds(sheet.offset(time)))")
        try end(arguments)
    }

    private mutating func flow(_ phase: String, _ number: Int, row: Int, _ time: EventLoop.Instant) throws {
        try begin(phase, "post", row: row)
        try file.write(",\"cat\":\"post\",\"id\":\(number),\"bp\":\"e\"")
        try file.write(",\"ts\":\(microseconds(sheet.offset(time)))}")
    }

    private mutating func end(_ arguments: [(String, String)]) throws {
        if !arguments.isEmpty {
            try file.write(",\"args\":{")
            for (index, (name, value)) in arguments.enumerated() {
                if index > 0 { try file.write(",") }
                try file.writeQuoted(name)
                try file.write(":")
                try file.writeQuoted(value)
            }
            try file.write("}")
        }
        try file.write("}")
    }
}

/// The format counts in microseconds; nanoseconds are its fractions.
private func microseconds(_ nanoseconds: UInt64) -> String {
    let fraction = String(nanoseconds % 1000)
    return "\(nanoseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
}
