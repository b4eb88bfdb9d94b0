/// Draws what happened as a time line: a row for each task, a column for each bit of time.
///
///     A     ●──────────●
///     B     ●────●
///           0 s  1 s   2 s
struct Chart {
    enum Mark: Int, Comparable {
        case waiting
        /// It waits for nothing but its turn, or its timer is due and the loop has not come to look.
        case ready
        case running

        static func < (left: Mark, right: Mark) -> Bool { left.rawValue < right.rawValue }
    }

    struct Span {
        let mark: Mark
        let start: Duration
        let end: Duration

        func touches(_ time: Duration) -> Bool { start == time || end == time }
    }

    struct Row {
        let name: String
        let spans: [Span]

        /// What there is of it from `start` to `end`, counted from there.
        ///
        /// On virtual time a step takes no time, and may be at the moment when one section ends and the next
        /// begins. It belongs where its task goes on or came from; if it is all there is, to the next.
        func part(from start: Duration, to end: Duration?) -> Row {
            let clipped = spans.compactMap { span -> Span? in
                let part = Span(
                    mark: span.mark, start: max(span.start, start), end: min(span.end, end ?? span.end))
                return part.start < part.end ? part : nil
            }
            let steps = spans.filter { step in
                guard step.start == step.end else { return false }
                if step.start > start, end.map({ step.start < $0 }) ?? true { return true }
                if clipped.contains(where: { $0.touches(step.start) }) { return true }
                let isAlone = !spans.contains { $0.start < $0.end && $0.touches(step.start) }
                return isAlone && step.start == start && step.start != end
            }
            return Row(
                name: name,
                spans: (clipped + steps).map { span in
                    Span(mark: span.mark, start: span.start - start, end: span.end - start)
                })
        }
    }

    /// Rows under a heading. All parts are drawn to the same scale, so that they can be compared.
    struct Part {
        let title: String
        var rows: [Row]
        /// Whether the lesson told what happened, so that a reader may look for it.
        var isTold = false

        var end: Duration { rows.flatMap(\.spans).map(\.end).max() ?? .zero }
    }

    private static let columns = 60
    private static let mostRows = 18
    private static let longestName = 18

    let parts: [Part]

    private var end: Duration { parts.map(\.end).max() ?? .zero }

    private var nameWidth: Int {
        min(parts.flatMap(\.rows).map(\.name.count).max() ?? 0, Self.longestName)
    }

    /// The lines to print; none when nothing took any time.
    var lines: [String] {
        guard end > .zero else { return [] }
        var lines = ["  " + Self.legend]
        // What comes before the first section is its preparation.
        for part in parts.dropFirst(parts.count > 1 ? 1 : 0) {
            guard part.end > aColumn || part.isTold else { continue }
            lines.append("")
            if parts.count > 1 { lines.append("  " + Console.styled(part.title, .cyan)) }
            guard part.end > aColumn else {
                lines.append("  (Too short for a chart.)")
                continue
            }
            for row in part.rows.prefix(Self.mostRows) {
                lines.append("  \(label(row.name))  \(bar(row))")
            }
            if part.rows.count > Self.mostRows {
                lines.append("  … and \(part.rows.count - Self.mostRows) more")
            }
            lines.append("  \(label(""))  \(Console.styled(axis, .dim))")
        }
        return lines
    }

    private static let legend =
        "● runs for a moment   █ runs   ─ waits   ╌ could go on, but another one runs"

    private func label(_ name: String) -> String {
        let isLong = name.count > Self.longestName
        return (isLong ? name.prefix(Self.longestName - 1) + "…" : name).padded(to: nameWidth)
    }

    private func column(_ time: Duration) -> Int {
        Int((time / end * Double(Self.columns)).rounded(.down))
    }

    private var aColumn: Duration { end / Self.columns }

    /// What is longer than a column fills its columns; a shorter step is a dot in one.
    private func bar(_ row: Row) -> String {
        var cells = [Character](repeating: " ", count: Self.columns + 1)
        for span in row.spans.sorted(by: { $0.mark < $1.mark }) {
            let (first, last) = (column(span.start), column(span.end))
            let isLong = span.end - span.start >= aColumn && last > first
            switch span.mark {
            case .waiting: for cell in first...last { cells[cell] = "─" }
            case .ready: for cell in first...last where isLong || cells[cell] == " " { cells[cell] = "╌" }
            case .running where isLong: for cell in first..<last { cells[cell] = "█" }
            case .running: if cells[first] != "█" { cells[first] = "●" }
            }
        }
        while cells.last == " " { cells.removeLast() }
        return cells.reduce(into: "") { line, cell in
            line += cell == "●" || cell == "█" ? Console.styled(String(cell), .green) : String(cell)
        }
    }

    /// A time every so many columns, at round numbers.
    private var axis: String {
        let steps = [
            0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 300, 600, 3600,
        ]
        let total = end / .seconds(1)
        let step = steps.first { total / $0 <= 7 } ?? steps.last!
        var line = ""
        for tick in 0...Int(total / step) {
            let time = Double(tick) * step
            let text = time == time.rounded() ? "\(Int(time)) s" : "\((time * 1000).rounded() / 1000) s"
            let place = column(.seconds(time))
            guard place >= line.count + (line.isEmpty ? 0 : 1) else { continue }
            line = line.padded(to: place) + text
        }
        return line
    }
}
