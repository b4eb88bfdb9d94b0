/// Numbers as people read them, without Foundation, whose pages would be in every child's memory.
enum Format {
    static func value(_ value: Double, _ unit: Measure.Unit) -> String {
        switch unit {
        case .count: decimal(value, fractionDigits: value == value.rounded() ? 0 : 1)
        case .perSecond: grouped(value) + "/s"
        case .nanoseconds: scaled(value, step: 1000, ["ns", "µs", "ms", "s"])
        case .bytes: scaled(value, step: 1024, ["B", "KiB", "MiB", "GiB"])
        }
    }

    static func ratio(_ value: Double) -> String {
        decimal(value, fractionDigits: value < 100 ? 2 : 0) + "×"
    }

    static func decimal(_ value: Double, fractionDigits: Int) -> String {
        let factor = (0..<fractionDigits).reduce(1.0) { factor, _ in factor * 10 }
        let rounded = (abs(value) * factor).rounded()
        guard rounded < 1e18 else { return "\(value)" }
        let sign = value < 0 && rounded > 0 ? "-" : ""
        let digits = String(Int(rounded))
        if fractionDigits == 0 { return sign + digits }
        let padded = String(repeating: "0", count: max(0, fractionDigits + 1 - digits.count)) + digits
        return sign + padded.dropLast(fractionDigits) + "." + padded.suffix(fractionDigits)
    }

    // Three digits tell more than the noise leaves true.
    private static func scaled(_ value: Double, step: Double, _ units: [String]) -> String {
        var value = value
        var index = 0
        while value >= step * 0.9995, index < units.count - 1 {
            value /= step
            index += 1
        }
        let fractionDigits = value == 0 ? 0 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0
        return decimal(value, fractionDigits: fractionDigits) + " " + units[index]
    }

    private static func grouped(_ value: Double) -> String {
        var groups: [Substring] = []
        var digits = Substring(decimal(value, fractionDigits: 0))
        while digits.count > 3 {
            groups.insert(digits.suffix(3), at: 0)
            digits = digits.dropLast(3)
        }
        return ([digits] + groups).joined(separator: ",")
    }
}

extension String {
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: Swift.max(0, width - count))
    }
}
