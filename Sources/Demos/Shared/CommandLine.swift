import EventLoop

/// The command line: which demos there are, and which one runs when none is named.
@MainActor
struct DemoCommand {
    let groups: [DemoGroup]
    let unnamed: String

    /// EX_USAGE of sysexits.h: the command line makes no sense.
    private static let usageError: CInt = 64
    /// How many times as fast time lapse is.
    private static let lapseFactor = 20

    private var demos: [Demo] { groups.flatMap(\.demos) }

    /// Does what the arguments ask for. Returns the exit status.
    func run(_ arguments: [String]) -> CInt {
        let options: Options
        do {
            options = try Options(arguments)
        } catch {
            Console.complain("\(error.description).\n\n\(listing)")
            return Self.usageError
        }
        if options.showsHelp {
            print(listing)
            return 0
        }
        Stage.isQuiet = options.isQuiet
        if let name = options.names.first, let demo = demo(named: name), case .onPort(let body) = demo.run {
            return run(demo, body, ports: Array(options.names.dropFirst()))
        }
        if options.names.isEmpty && !options.isQuiet { print(listing) }
        if options.trace != nil { Recording.file = Trace() }
        Stage.progress = options.isQuiet ? nil : Progress()
        defer { Stage.progress?.stop() }
        let status = run(named: options.names.isEmpty ? [unnamed] : options.names, options)
        guard let path = options.trace, status == 0 else { return status }
        return attempt("--trace") {
            if path.hasSuffix(".html") {
                let title = options.names.isEmpty ? unnamed : options.names.joined(separator: ", ")
                try Recording.file?.writeHTML(to: path, title: title)
            } else {
                try Recording.file?.writeChromeJSON(to: path)
            }
            print("\nWhat happened is in \(path).")
        }
    }

    /// Runs nothing unless all the names make sense.
    private func run(named names: [String], _ options: Options) -> CInt {
        var chosen: [Demo] = []
        for name in names {
            if name == "all" {
                chosen += demos.filter { if case .onPort = $0.run { false } else { $0.name != unnamed } }
                continue
            }
            guard let demo = demo(named: name) else {
                Console.complain("there is no demo \"\(name)\".\n\n\(listing)")
                return Self.usageError
            }
            if case .onPort = demo.run {
                Console.complain("\(name) runs alone. Usage: \(demo.usage)")
                return Self.usageError
            }
            chosen.append(demo)
        }
        for demo in chosen {
            let status = attempt(demo.name) {
                // A trace has times of one kind, so nothing in it is virtual.
                let lapse = Stage.Time.lapse(Self.lapseFactor)
                switch demo.run {
                case .sleeps(let body):
                    Stage.time = options.isFast && options.trace == nil ? .virtual : .real
                    try body()
                case .works(let body):
                    Stage.time = options.isFast ? lapse : .real
                    try body()
                case .takesNoTime(let body):
                    Stage.time = .real
                    try body()
                case .onPort: break
                }
            }
            let files = Recording.files
            let chart = Recording.takeChart()
            if !options.isQuiet {
                if !chart.lines.isEmpty { put("\n" + chart.lines.joined(separator: "\n")) }
                put("\n  Read, run, change it: " + files.joined(separator: ", "))
            }
            if status != 0 { return status }
        }
        return 0
    }

    private func run(_ demo: Demo, _ body: @MainActor (Int) throws -> Void, ports: [String]) -> CInt {
        guard ports.count == 1, let port = UInt16(ports[0]) else {
            let problem =
                ports.isEmpty ? "the port is missing" : "not a port: \(ports.joined(separator: " "))"
            Console.complain(
                "\(demo.name): \(problem). Usage: \(demo.usage), with a port from 0 (any free one) to 65535.")
            return Self.usageError
        }
        return attempt(demo.name) { try body(Int(port)) }
    }

    private func attempt(_ name: String, _ body: @MainActor () throws -> Void) -> CInt {
        do {
            try body()
            return 0
        } catch {
            Console.complain("\(name): \(error)")
            return 1
        }
    }

    private func demo(named name: String) -> Demo? {
        demos.first { $0.name == name }
    }

    private var listing: String {
        let width = demos.map(\.usage.count).max() ?? 0
        let parts = groups.map { group in
            let lines = group.demos.map { demo in
                let note = demo.name == unnamed ? " (the default)" : ""
                return "  \(demo.usage.padded(to: width))   \(demo.summary)\(note)"
            }
            return ([Console.styled(group.title, .bold)] + lines).joined(separator: "\n")
        }
        let lapse = Self.lapseFactor
        return """
            Usage: swift run Demos [NAME … | all | list] [--fast] [--quiet] [--trace FILE]

              --fast         what sleeps takes no time; sockets and threads go \(lapse) times as fast
              --quiet        titles, totals and conclusions only
              --trace FILE   write what happened: .html to look at, .json for Perfetto and chrome://tracing


            """ + parts.joined(separator: "\n\n")
                + "\n\nThe lesson is the comment at the head of Sources/Demos/NAME.swift: "
                + "read it, run it, change it."
    }
}
