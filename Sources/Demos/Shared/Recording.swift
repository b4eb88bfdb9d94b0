import EventLoop

/// What a lesson did, section by section, for its chart; and all of it, for --trace.
@MainActor
enum Recording {
    /// What --trace records into.
    static var file: Trace?

    private static var parts: [Chart.Part] = []

    /// What comes now belongs under this heading.
    static func begin(_ title: String) {
        parts.append(Chart.Part(title: title, rows: []))
    }

    /// Blocking work, in the section's time.
    static func add(_ name: String, from start: Duration, to end: Duration) {
        add([Chart.Row(name: name, spans: [Chart.Span(mark: .running, start: start, end: end)])])
    }

    /// What a loop did: its time `origin` is the section's time `start`.
    static func add(_ trace: Trace, from origin: EventLoop.Instant, at start: Duration) {
        func sectionTime(_ instant: EventLoop.Instant) -> Duration {
            start + max(origin.duration(to: instant), .zero) * Stage.lapseFactor
        }
        add(
            trace.tasks.map { task in
                let spans = task.spans.map { span in
                    Chart.Span(
                        mark: Chart.Mark(span.state), start: sectionTime(span.start),
                        end: sectionTime(span.end))
                }
                return Chart.Row(name: task.name, spans: spans)
            })
    }

    private static func add(_ rows: [Chart.Row]) {
        if parts.isEmpty { begin("") }
        parts[parts.count - 1].rows += rows
    }

    /// The chart of what was recorded since the last one.
    static func takeChart() -> Chart {
        defer { parts = [] }
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
