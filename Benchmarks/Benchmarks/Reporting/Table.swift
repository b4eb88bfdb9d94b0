/// Rows in columns as wide as their widest cell.
struct Table {
    private struct Row {
        var cells: [String]
        /// Text behind the cells, which makes no column wider.
        var remark: String?
    }

    private var rows: [Row]

    init(heading: [String]) { rows = [Row(cells: heading)] }

    mutating func add(_ cells: [String]) { rows.append(Row(cells: cells)) }

    mutating func addSpanning(_ cells: [String], _ remark: String) {
        rows.append(Row(cells: cells, remark: remark))
    }

    var text: String {
        let widths = rows[0].cells.indices.map { column in
            rows.map { column < $0.cells.count ? $0.cells[column].count : 0 }.max() ?? 0
        }
        var lines = rows.map { row in
            let cells = zip(row.cells, widths).map { $0.padded(to: $1) }
            return trimmed((cells + [row.remark ?? ""]).joined(separator: "  "))
        }
        lines.insert(widths.map { String(repeating: "─", count: $0) }.joined(separator: "  "), at: 1)
        return lines.joined(separator: "\n") + "\n"
    }

    private func trimmed(_ line: String) -> String {
        var line = line
        while line.last == " " { line.removeLast() }
        return line
    }
}
