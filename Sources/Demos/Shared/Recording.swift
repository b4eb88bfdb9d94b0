import EventLoop

/// What a lesson did, section by section, for its chart; and all of it, for --trace.
@MainActor
enum Recording {
    /// What --trace records into.
    static var file: Trace?

    /// The files that the lessons since the last chart stand in.
    private(set) static var files: [String] = []

    private static var parts: [Chart.Part] = []
    /// When each of them began, on the stopwatch that never stops.
    private static var starts: [Duration] = []

    /// What comes from `start` on belongs under this heading.
    static func begin(_ title: String, at start: Duration) {
        parts.append(Chart.Part(title: title, rows: []))
        starts.append(start)
    }

    /// A lesson of this file begins.
    static func begin(lesson file: String) {
        files.append(file)
    }

    /// The section has told something.
    static func told() {
        if !parts.isEmpty { parts[parts.count - 1].isTold = true }
    }

    /// Blocking work.
    static func add(_ name: String, from start: Duration, to end: Duration) {
        add(Chart.Row(name: name, spans: [Chart.Span(mark: .running, start: start, end: end)]))
    }

    /// What a loop did. Its time `origin` is the stopwatch's time `start`.
    static func add(_ trace: Trace, from origin: EventLoop.Instant, at start: Duration) {
        func time(_ instant: EventLoop.Instant) -> Duration {
            start + max(origin.duration(to: instant), .zero) * Stage.lapseFactor
        }
        let loops = trace.loops
        let timers = Dictionary(loops.map { ($0.name, $0.timers) }) { first, _ in first }
        for task in trace.tasks {
            // Another loop's task that comes over for a moment has its row there.
            if loops.count > 1 && task.name.hasPrefix("plain task") { continue }
            var spans: [Chart.Span] = []
            for (index, span) in task.spans.enumerated() {
                let next = index + 1 < task.spans.count ? task.spans[index + 1] : nil
                // From when its timer was due, a task waits for the loop alone.
                let late = next.map { lateness(of: $0, timers[task.loop] ?? []) } ?? .zero
                let due = max(span.start, span.end.advanced(by: .zero - late))
                let mark = Chart.Mark(span.state)
                spans.append(Chart.Span(mark: mark, start: time(span.start), end: time(due)))
                if due < span.end {
                    spans.append(Chart.Span(mark: .ready, start: time(due), end: time(span.end)))
                }
            }
            add(Chart.Row(name: task.name, spans: spans))
        }
    }

    /// By how much a timer was late that put a task into the loop's queue.
    private static func lateness(of span: TracedSpan, _ timers: [TracedTimer]) -> Duration {
        guard span.state == .ready, span.wokenBy?.hasPrefix("a timer") == true else { return .zero }
        return timers.last { $0.time <= span.start }?.lateness ?? .zero
    }

    /// Gives each section its part of the row, in the section's own time.
    private static func add(_ row: Chart.Row) {
        if parts.isEmpty { begin("", at: .zero) }
        for index in parts.indices {
            let end = index + 1 < starts.count ? starts[index + 1] : nil
            let part = row.part(from: starts[index], to: end)
            if !part.spans.isEmpty { parts[index].rows.append(part) }
        }
    }

    /// The chart of what was recorded since the last one.
    static func takeChart() -> Chart {
        defer { (parts, starts, files) = ([], [], []) }
        return Chart(parts: parts)
    }
}

extension Chart.Mark {
    init(_ state: TracedSpan.State) {
        self =
            switch state {
            case .running: .running
            case .ready: .ready
            case .waiting: .waiting
            }
    }
}
