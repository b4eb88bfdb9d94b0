/// Makes spans of one task's events.
struct TraceRowReader {
    private enum Open {
        case nothing
        case running
        case ready(String?)
        case waiting(String)
        /// A wait, if something follows.
        case unknown
    }

    private(set) var spans: [TracedSpan] = []
    private(set) var began: EventLoop.Instant?
    private(set) var ended: EventLoop.Instant?
    private var open = Open.nothing
    private var since = EventLoop.Instant(nanoseconds: 0)

    mutating func ready(wokenBy: String?, at time: EventLoop.Instant) {
        close(at: time)
        (open, since) = (.ready(wokenBy), time)
    }

    mutating func begin(at time: EventLoop.Instant) {
        close(at: time)
        (open, since) = (.running, time)
        if began == nil { began = time }
    }

    mutating func end(_ left: TraceEvent.Left, at time: EventLoop.Instant) {
        switch left {
        case .over:
            // Of one that was left nobody knew how, its last step was the end.
            if case .unknown = open { ended = since } else { ended = time }
            close(at: time, isLast: true)
            open = .nothing
        case .ready:
            close(at: time)
            (open, since) = (.ready(nil), time)
        case .waiting(let reason):
            close(at: time)
            (open, since) = (.waiting(reason.description), time)
        case .unknown:
            close(at: time)
            (open, since) = (.unknown, time)
        }
    }

    mutating func finish(at time: EventLoop.Instant) {
        close(at: time, isLast: true)
        open = .nothing
    }

    private mutating func close(at time: EventLoop.Instant, isLast: Bool = false) {
        let state: TracedSpan.State
        var wokenBy: String?
        switch open {
        case .nothing: return
        case .running: state = .running
        case .ready(let words): (state, wokenBy) = (.ready, words)
        case .waiting(let reason): state = .waiting(for: reason)
        case .unknown:
            if isLast { return }
            state = .waiting(for: "something outside the library")
        }
        guard since < time || state == .running else { return }
        spans.append(TracedSpan(state: state, start: since, end: time, wokenBy: wokenBy))
    }
}
