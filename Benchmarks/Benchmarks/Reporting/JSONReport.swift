/// All figures of all runs, for programs.
enum JSONReport {
    static func make(machine: Machine, runs: Int, scale: Scale, outcomes: [Outcome]) -> String {
        let machineObject = JSON.object([
            ("processor", .string(machine.processor)),
            ("architecture", .string(machine.architecture)),
            ("kernel", .string(machine.kernel)),
            ("cores", .number(Double(machine.cores))),
            ("pinned_cores", .array(machine.pinnedCores.map { .number(Double($0)) })),
        ])
        let report = JSON.object([
            ("date", .string(machine.date)),
            ("machine", machineObject),
            ("runs", .number(Double(runs))),
            ("scale", .string(scale.rawValue)),
            ("results", .array(outcomes.flatMap { outcome in outcome.variants.map { result(outcome, $0) } })),
        ])
        return report.text() + "\n"
    }

    private static func result(_ outcome: Outcome, _ variant: VariantOutcome) -> JSON {
        .object([
            ("workload", .string(outcome.workload.name)),
            ("variant", .string(variant.name)),
            ("failure", variant.failure.map { .string($0) } ?? .null),
            ("runs", .array(variant.runs.map { figures($0) })),
        ])
    }

    private static func figures(_ figures: Figures) -> JSON {
        .object(figures.values.sorted { $0.key < $1.key }.map { ($0.key, .number($0.value)) })
    }
}

/// As much of JSON as a report needs.
indirect enum JSON {
    case null
    case number(Double)
    case string(String)
    case array([JSON])
    case object([(String, JSON)])

    func text(indentation: String = "") -> String {
        switch self {
        case .null: return "null"
        case .number(let value):
            guard value.isFinite else { return "null" }
            return value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
        case .string(let value): return Self.quoted(value)
        case .array(let elements):
            return Self.block(
                "[", elements.map { element in { element.text(indentation: $0) } }, "]", indentation)
        case .object(let members):
            let lines = members.map { name, value in
                { Self.quoted(name) + ": " + value.text(indentation: $0) }
            }
            return Self.block("{", lines, "}", indentation)
        }
    }

    private static func block(
        _ open: String, _ lines: [(String) -> String], _ close: String, _ indentation: String
    ) -> String {
        if lines.isEmpty { return open + close }
        let inner = indentation + "  "
        let body = lines.map { inner + $0(inner) }.joined(separator: ",\n")
        return "\(open)\n\(body)\n\(indentation)\(close)"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
