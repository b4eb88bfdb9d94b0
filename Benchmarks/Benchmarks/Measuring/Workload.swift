/// What is measured, in how many ways, and which of the figures the table shows.
struct Workload: Sendable {
    var name: String
    var summary: String
    var section: Section
    /// Whether its threads stay on their cores, as far as there are two.
    var isPinned: Bool
    /// The first is what the others are compared with.
    var variants: [Variant]
    var measures: [Measure]
}

struct Variant: Sendable {
    var name: String
    /// Called in a process of its own.
    var run: @Sendable (Conditions) throws -> Figures
}

enum Section: CaseIterable {
    case blockingAndAsync
    case floorAndLoop
}

struct Measure: Sendable {
    enum Unit {
        case nanoseconds, bytes, perSecond, count
    }

    enum Direction {
        case lower, higher
    }

    var figure: String
    var label: String
    var unit: Unit
    var better = Direction.lower
}

extension Measure {
    static let wallTime = Measure(figure: "wall_ns", label: "wall time", unit: .nanoseconds)
    static let cpuTime = Measure(figure: "cpu_ns", label: "CPU time", unit: .nanoseconds)
    static let memory = Measure(figure: "memory_grown_bytes", label: "peak memory", unit: .bytes)

    static func latency(_ name: String) -> [Measure] {
        [("p50", "p50"), ("p99", "p99"), ("max", "maximum")].map { figure, label in
            Measure(figure: "\(name)_\(figure)_ns", label: "\(name) \(label)", unit: .nanoseconds)
        }
    }
}
