import Glibc

/// What the user asked for.
struct Options {
    enum Command {
        case run, list, help
    }

    var command = Command.run
    var runs: Int?
    var only: [String] = []
    var jsonPath: String?
    var scale = Scale.full

    static let usage = """
        usage: Benchmarks [list] [--only NAME]… [--runs N] [--quick] [--json FILE]

          list          print the names of the workloads, and what each does
          --only NAME   measure only this workload; may be repeated
          --runs N      how often each variant is measured, alternating; 3 unless told, 1 with --quick
          --quick       everything once and small, in seconds: shows that it runs, not how fast
          --json FILE   also write the figures of all runs, and the machine, to this file
        """

    /// Ends the process with status 64 (EX_USAGE) and a sentence when it does not understand.
    init(parsing arguments: ArraySlice<String>) {
        var remaining = arguments
        func value(of option: String) -> String {
            guard let value = remaining.popFirst() else { Self.reject("\(option) needs a value.") }
            return value
        }
        while let argument = remaining.popFirst() {
            switch argument {
            case "list": command = .list
            case "--help", "-h": command = .help
            case "--quick": scale = .quick
            case "--json": jsonPath = value(of: argument)
            case "--runs":
                guard let count = Int(value(of: argument)), (1...1000).contains(count) else {
                    Self.reject("--runs needs a number from 1 to 1000.")
                }
                runs = count
            case "--only":
                let name = value(of: argument)
                guard allWorkloads.contains(where: { $0.name == name }) else {
                    let names = allWorkloads.map(\.name).joined(separator: " ")
                    Self.reject("There is no workload “\(name)”. There are: \(names)")
                }
                only.append(name)
            default: Self.reject("“\(argument)” is not understood.\n\n\(Self.usage)")
            }
        }
    }

    private static func reject(_ message: String) -> Never {
        printToStandardError(message)
        exit(64)
    }
}
