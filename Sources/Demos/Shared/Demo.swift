/// What a demo is called, what it shows, and how it is started.
struct Demo {
    enum Run {
        /// It only sleeps: --fast runs it on virtual time.
        case sleeps(@MainActor () throws -> Void)
        /// It uses sockets, threads or signals: --fast runs it in time lapse.
        case works(@MainActor () throws -> Void)
        /// It takes a moment, and makes loops of its own: --fast changes nothing.
        case takesNoTime(@MainActor () throws -> Void)
        case onPort(@MainActor (Int) throws -> Void)
    }

    let name: String
    let summary: String
    let run: Run

    init(_ name: String, _ summary: String, _ run: Run) {
        self.name = name
        self.summary = summary
        self.run = run
    }

    var usage: String {
        if case .onPort = run { return "\(name) PORT" }
        return name
    }
}

/// Demos that belong together, in the order in which to learn from them.
struct DemoGroup {
    let title: String
    let demos: [Demo]
}
