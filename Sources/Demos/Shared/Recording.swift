import EventLoop

/// What a lesson did, section by section, for its chart; and all of it, for --trace.
@MainActor
enum Recording {
    /// What --trace records into.
    static var file: Trace?

    private static var parts: [Chart.Part] = []
    /// When each of them began, on the stopwatch that never stops.
    private static var starts: [Duration] = []

    /// What comes from `start` on belongs under this heading.
    static func begin(_ title: String, at start: Duration) {
        parts.append(Chart.Part(title: title, rows: []))
        starts.append(start)
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
        for task in trace.tasks {
            let spans = task.spans.map { span in
                Chart.Span(mark: Chart.Mark(span.state), start: time(span.start), end: time(span.end))
            }
            add(Chart.Row(name: task.name, spans: spans))
        }
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
        defer { (parts, starts) = ([], []) }
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
