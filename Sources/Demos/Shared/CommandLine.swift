import EventLoop

/// What a demo is called, what it shows, and how it is started.
struct Demo {
    enum Run {
        case plain(@MainActor () throws -> Void)
        case onPort(@MainActor (Int) throws -> Void)
    }

    let name: String
    let summary: String
    let run: Run

    var usage: String {
        if case .onPort = run { return "\(name) PORT" }
        return name
    }
}

/// The command line: which demos there are, and which one runs when none is named.
@MainActor
struct DemoCommand {
    let demos: [Demo]
    let unnamed: String

    /// EX_USAGE of sysexits.h: the command line makes no sense.
    private static let usageError: CInt = 64

    /// Does what the arguments ask for. Returns the exit status.
    func run(_ arguments: [String]) -> CInt {
        guard let first = arguments.first else {
            print(listing)
            return run(named: [unnamed])
        }
        if ["list", "help", "--help", "-h"].contains(first) {
            print(listing)
            return 0
        }
        if let demo = demo(named: first), case .onPort(let body) = demo.run {
            return run(demo, body, ports: Array(arguments.dropFirst()))
        }
        return run(named: arguments)
    }

    /// Runs nothing unless all the names make sense.
    private func run(named names: [String]) -> CInt {
        var bodies: [@MainActor () throws -> Void] = []
        for name in names {
            guard let demo = demo(named: name) else {
                Console.complain("there is no demo \"\(name)\".\n\n\(listing)")
                return Self.usageError
            }
            guard case .plain(let body) = demo.run else {
                Console.complain("\(name) runs alone. Usage: \(demo.usage)")
                return Self.usageError
            }
            bodies.append(body)
        }
        for (name, body) in zip(names, bodies) {
            let status = attempt(name, body)
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
        let lines = demos.map { demo in
            let note = demo.name == unnamed ? " (runs without arguments)" : ""
            return "  \(demo.usage.padded(to: width))   \(demo.summary)\(note)"
        }
        return "Usage: swift run Demos [list | NAME … | serve-… PORT]\n\n" + lines.joined(separator: "\n")
    }
}
