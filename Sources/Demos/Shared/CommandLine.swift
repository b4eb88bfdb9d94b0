import EventLoop
import Glibc

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

/// The exit status for a command line that makes no sense (EX_USAGE of sysexits.h).
private let usageError: CInt = 64

/// Does what the command line asks for. Returns the exit status.
@MainActor
func runDemos(_ demos: [Demo], default first: String, arguments: [String]) -> CInt {
    switch arguments.first {
    case nil:
        print(listing(of: demos, default: first))
        return run([first], among: demos)
    case "list", "help", "--help", "-h":
        print(listing(of: demos, default: first))
        return 0
    case let name?:
        guard let demo = demos.first(where: { $0.name == name }), case .onPort(let body) = demo.run else {
            return run(arguments, among: demos)
        }
        guard arguments.count == 2, let port = UInt16(arguments[1]) else {
            let problem =
                arguments.count < 2
                ? "the port is missing" : "not a port: \(arguments[1...].joined(separator: " "))"
            Console.complain(
                "\(name): \(problem). Usage: \(demo.usage), with a port from 0 (any free one) to 65535.")
            return usageError
        }
        return attempt(name) { try body(Int(port)) }
    }

    @MainActor
    func run(_ names: [String], among demos: [Demo]) -> CInt {
        var bodies: [@MainActor () throws -> Void] = []
        for name in names {
            let demo = demos.first { $0.name == name }
            guard let demo else {
                Console.complain("there is no demo \"\(name)\".\n\n" + listing(of: demos, default: first))
                return usageError
            }
            guard case .plain(let body) = demo.run else {
                Console.complain("\(name) runs alone. Usage: \(demo.usage)")
                return usageError
            }
            bodies.append(body)
        }
        for (name, body) in zip(names, bodies) {
            let status = attempt(name, body)
            if status != 0 { return status }
        }
        return 0
    }

    @MainActor
    func attempt(_ name: String, _ body: @MainActor () throws -> Void) -> CInt {
        do {
            try body()
            return 0
        } catch {
            Console.complain("\(name): \(error)")
            return 1
        }
    }
}

private func listing(of demos: [Demo], default first: String) -> String {
    let width = demos.map(\.usage.count).max() ?? 0
    let lines = demos.map { demo in
        "  \(demo.usage.padded(to: width))   \(demo.summary)\(demo.name == first ? " (runs without arguments)" : "")"
    }
    return "Usage: swift run Demos [list | NAME … | serve-… PORT]\n\n" + lines.joined(separator: "\n")
}
