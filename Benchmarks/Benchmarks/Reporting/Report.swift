/// The tables that the user reads.
enum Report {
    static func header(machine: Machine, runs: Int, scale: Scale) -> String {
        var lines = [
            "\(machine.processor), \(machine.cores) \(machine.cores == 1 ? "core" : "cores"), \(machine.kernel)",
            "\(machine.date), \(runs) alternating \(runs == 1 ? "run" : "runs") of each variant, each in its own process",
        ]
        if machine.pinnedCores.count == 2 {
            lines.append("B: loop on core \(machine.pinnedCores[0]), load on core \(machine.pinnedCores[1])")
        } else {
            lines.append("B: nothing is pinned, for there is only one core: loop and load share it")
        }
        lines.append("Memory is the peak above what the process had when the workload began.")
        if scale == .quick { lines.append("Quick: this shows that everything runs, not how fast it is.") }
        #if DEBUG
            lines.append("DEBUG BUILD: these figures mean nothing. Use: swift run -c release Benchmarks")
        #endif
        return lines.joined(separator: "\n") + "\n"
    }

    static func table(_ section: Section, _ outcomes: [Outcome]) -> String {
        let (title, table) =
            switch section {
            case .blockingAndAsync:
                (
                    "A. Blocking calls and threads against the loop: median [minimum – maximum]",
                    byVariant(outcomes)
                )
            case .floorAndLoop:
                (
                    "B. The loop against the floor: median [minimum – maximum]; ↑ more is better, ↓ less is better",
                    byMeasure(outcomes)
                )
            }
        return title + "\n\n" + table.text
    }

    /// A row for each variant: here they are what is compared.
    private static func byVariant(_ outcomes: [Outcome]) -> Table {
        var table = Table(heading: [
            "workload", "variant", "wall time", "against 1st", "CPU time", "peak memory",
        ])
        for outcome in outcomes {
            for (index, variant) in outcome.variants.enumerated() {
                let name = index == 0 ? outcome.workload.name : ""
                if let failure = variant.failure {
                    table.addSpanning([name, variant.name], "FAILED: \(failure)")
                    continue
                }
                let ratio = self.ratio(variant, outcome.variants[0], .wallTime)
                let cells = [Measure.wallTime, .cpuTime, .memory].map { cell(variant, $0) }
                table.add([name, variant.name, cells[0], ratio, cells[1], cells[2]])
            }
        }
        return table
    }

    /// A row for each measure: there are always two variants, and many measures.
    private static func byMeasure(_ outcomes: [Outcome]) -> Table {
        var table = Table(heading: ["workload", "measure", "floor", "EventLoop", "ratio"])
        for outcome in outcomes {
            let floor = outcome.variants[0]
            let loop = outcome.variants[1]
            for variant in outcome.variants {
                if let failure = variant.failure {
                    table.addSpanning([outcome.workload.name, variant.name], "FAILED: \(failure)")
                }
            }
            for (index, measure) in outcome.workload.measures.enumerated() {
                let name = index == 0 && outcome.failures.isEmpty ? outcome.workload.name : ""
                let arrow = measure.better == .higher ? "↑" : "↓"
                table.add([
                    name, "\(measure.label) \(arrow)", cell(floor, measure), cell(loop, measure),
                    ratio(loop, floor, measure),
                ])
            }
        }
        return table
    }

    private static func cell(_ variant: VariantOutcome, _ measure: Measure) -> String {
        guard let spread = variant.spread(of: measure) else { return "–" }
        let median = Format.value(spread.median, measure.unit)
        if variant.runs.count == 1 { return median }
        let minimum = Format.value(spread.minimum, measure.unit)
        let maximum = Format.value(spread.maximum, measure.unit)
        return "\(median) [\(minimum) – \(maximum)]"
    }

    private static func ratio(_ variant: VariantOutcome, _ base: VariantOutcome, _ measure: Measure) -> String
    {
        guard let spread = variant.spread(of: measure), let baseSpread = base.spread(of: measure),
            baseSpread.median > 0
        else { return "–" }
        return Format.ratio(spread.median / baseSpread.median)
    }
}
