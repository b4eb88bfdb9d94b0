import Glibc

/// Runs the workloads that were asked for, and reports.
enum Harness {
    static func run(_ options: Options) {
        switch options.command {
        case .help: print(Options.usage)
        case .list: list()
        case .run: measure(options)
        }
    }

    private static func list() {
        let width = allWorkloads.map(\.name.count).max() ?? 0
        for workload in allWorkloads {
            print(workload.name.padded(to: width), workload.summary, separator: "  ")
        }
    }

    private static func measure(_ options: Options) {
        let machine = Machine.current
        let runs = options.runs ?? (options.scale == .quick ? 1 : 3)
        print(Report.header(machine: machine, runs: runs, scale: options.scale))
        var outcomes: [Outcome] = []
        for section in Section.allCases {
            let workloads = allWorkloads.filter {
                $0.section == section && (options.only.isEmpty || options.only.contains($0.name))
            }
            if workloads.isEmpty { continue }
            let ofSection = workloads.map { workload in
                Runner(machine: machine, runs: runs, scale: options.scale).measure(workload)
            }
            print(Report.table(section, ofSection))
            fflush(nil)  // into a pipe, too, a table appears when it is done
            outcomes += ofSection
        }
        if let path = options.jsonPath {
            let json = JSONReport.make(machine: machine, runs: runs, scale: options.scale, outcomes: outcomes)
            guard write(json, to: path) else {
                printToStandardError("Cannot write \(path): \(errorText(errno))")
                exit(1)
            }
        }
        let failures = outcomes.flatMap(\.failures)
        if !failures.isEmpty {
            printToStandardError("\(failures.count) of the variants failed.")
            exit(1)
        }
    }

    private static func write(_ text: String, to path: String) -> Bool {
        guard let file = fopen(path, "w") else { return false }
        let isWritten = fputs(text, file) >= 0
        return fclose(file) == 0 && isWritten
    }
}
