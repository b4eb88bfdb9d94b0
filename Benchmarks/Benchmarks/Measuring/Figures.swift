/// What one run measured: names and numbers, in one line of text on the way to the harness.
struct Figures {
    private(set) var values: [String: Double] = [:]

    subscript(name: String) -> Double? {
        get { values[name] }
        set { values[name] = newValue }
    }

    mutating func merge(_ other: Figures) {
        values.merge(other.values) { _, new in new }
    }

    func merging(_ other: Figures) -> Figures {
        var figures = self
        figures.merge(other)
        return figures
    }

    /// The time that each of so many took.
    func adding(_ name: String, nanoseconds: UInt64, over count: Int) -> Figures {
        var figures = self
        figures["\(name)_ns"] = Double(nanoseconds) / Double(count)
        return figures
    }

    /// The middle one of some rounds, for what is over too soon to be trusted the first time.
    func adding(_ name: String, roundsNanoseconds rounds: [UInt64], over count: Int) -> Figures {
        adding(name, nanoseconds: rounds.sorted()[rounds.count / 2], over: count)
    }

    private static let mark = "figures"

    var line: String {
        let pairs = values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return ([Self.mark] + pairs).joined(separator: " ")
    }

    init() {}

    init?(parsing line: some StringProtocol) {
        let words = line.split(separator: " ")
        guard words.first.map({ $0 == Self.mark }) == true else { return nil }
        for word in words.dropFirst() {
            let parts = word.split(separator: "=")
            guard parts.count == 2, let value = Double(parts[1]) else { return nil }
            values[String(parts[0])] = value
        }
    }
}
