import Glibc
import Testing

/// Runs a lesson on virtual time, and compares what it prints with `expected`: its lines with a time stamp,
/// as in "1.50 A ends". Virtual time is exact, and so is the order. Empty lines in `expected` are for the
/// reader. What matches `pattern` is replaced first, for what no test can know.
///
/// Returns all the lines.
@discardableResult
func expectLesson(
    _ name: String, replacing pattern: Regex<Substring>? = nil, with replacement: String = "",
    prints expected: String, sourceLocation: SourceLocation = #_sourceLocation
) async throws -> [String] {
    let lines = try await linesOfLesson(name, "--fast")
    let timed = lines.compactMap(TimedLine.init).map { line in
        "\(line.stamp) \(pattern.map { line.text.replacing($0, with: replacement) } ?? line.text)"
    }
    #expect(
        timed == expected.split(separator: "\n").map(String.init), "\(name)", sourceLocation: sourceLocation)
    expectFile(lines.last, of: name, sourceLocation)
    return lines
}

/// The last line says where the lesson stands.
private func expectFile(_ line: String?, of name: String, _ sourceLocation: SourceLocation) {
    let path = line?.split(separator: " ").last.map(String.init) ?? ""
    let isNamed = path.lowercased().hasSuffix("/" + name.filter { $0 != "-" } + ".swift")
    let tests = #filePath.firstRange(of: "/Tests/DemoTests/")!
    let file = #filePath[..<tests.lowerBound] + "/" + path
    #expect(
        isNamed && access(String(file), R_OK) == 0, "\(name) ends with \(line ?? "nothing")",
        sourceLocation: sourceLocation)
}

/// What a lesson prints, after it has ended as it should, with nothing on standard error.
func linesOfLesson(_ name: String, _ options: String...) async throws -> [String] {
    let arguments = [name] + options
    return try await withProgram(arguments) { program in
        let lines = try program.remainingLines()
        #expect(try program.waitForEnd() == .exit(0))
        #expect(try program.errorLines().isEmpty)
        return lines
    }
}

/// A line with a time stamp, such as `    1.00 s   A  ends`.
struct TimedLine {
    /// Seconds, as they are printed.
    let stamp: String
    let text: String

    var seconds: Double { Double(stamp)! }

    init?(_ line: String) {
        let words = line.split(separator: " ")
        guard words.count > 2, words[1] == "s", Double(words[0]) != nil,
            // The axis of a chart has other numbers of digits.
            words[0].split(separator: ".").last?.count == 2,
            let unit = line.firstRange(of: " s   ")
        else { return nil }
        stamp = String(words[0])
        text = String(line[unit.upperBound...])
    }
}
