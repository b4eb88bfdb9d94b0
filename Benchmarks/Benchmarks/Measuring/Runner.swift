/// Measures a workload: its variants in turn, again and again, so that a change of the machine's mood
/// meets all of them alike.
struct Runner {
    var machine: Machine
    var runs: Int
    var scale: Scale

    /// Far more than any run takes.
    private let timeLimitSeconds = 20

    func measure(_ workload: Workload) -> Outcome {
        var conditions = Conditions(scale: scale)
        if workload.isPinned, machine.pinnedCores.count == 2 {
            conditions.loopCore = machine.pinnedCores[0]
            conditions.loadCore = machine.pinnedCores[1]
        }
        var outcome = Outcome(
            workload: workload, variants: workload.variants.map { VariantOutcome(name: $0.name) })
        for _ in 0..<runs {
            for index in workload.variants.indices where outcome.variants[index].failure == nil {
                do {
                    let arguments = Child.arguments(workload, workload.variants[index], conditions)
                    let figures = try ChildProcess(arguments: arguments).figures(within: timeLimitSeconds)
                    outcome.variants[index].runs.append(figures)
                } catch {
                    outcome.variants[index].failure = String(describing: error)
                }
            }
        }
        return outcome
    }
}

struct Outcome {
    var workload: Workload
    var variants: [VariantOutcome]

    var failures: [String] { variants.compactMap(\.failure) }
}

struct VariantOutcome {
    var name: String
    var runs: [Figures] = []
    /// Why it was given up; its other runs are not tried.
    var failure: String?

    func spread(of measure: Measure) -> Spread? {
        failure == nil ? Spread(runs.compactMap { $0[measure.figure] }) : nil
    }
}

/// The middle and the ends of what several runs measured.
struct Spread {
    var median: Double
    var minimum: Double
    var maximum: Double

    /// Nil if nothing was measured.
    init?(_ values: [Double]) {
        let sorted = values.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        let middle = sorted.count / 2
        median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        minimum = first
        maximum = last
    }
}
