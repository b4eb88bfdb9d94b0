// The guide's code: what stands in its articles, and the passages of tests that it must equal.

/// A passage of a test, between `// snippet.NAME` and `// snippet.end`, that an article shows.
struct Snippet {
    /// Where it stands, for messages.
    let name: String
    /// Its lines, without the indentation that they have in common.
    let text: String

    /// All there are.
    static func all() throws -> [Snippet] {
        try TextFile.all(in: "Tests/GuideTests/Snippets", suffix: ".swift").flatMap(snippets)
            + snippets(in: TextFile("Tests/ProcessModeCases/GuideCases.swift"))
            + snippets(in: TextFile("Tests/GuideProgram/main.swift"))
    }

    private static func snippets(in file: TextFile) -> [Snippet] {
        var snippets: [Snippet] = []
        var passage: (name: String, lines: [Substring])?
        for line in file.lines {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == "//", words[1].hasPrefix("snippet.") {
                let name = words[1].dropFirst("snippet.".count)
                precondition((name == "end") == (passage != nil), "\(file.path): \(line): not in turn")
                if let ended = passage {
                    snippets.append(Snippet(name: ended.name, text: unindented(ended.lines)))
                    passage = nil
                } else {
                    passage = ("\(file.name): \(name)", [])
                }
            } else {
                passage?.lines.append(line)
            }
        }
        precondition(passage == nil, "\(file.path): \(passage!.name) has no end")
        return snippets
    }

    private static func unindented(_ lines: [Substring]) -> String {
        let indentation = lines.lazy.filter { !$0.isEmpty }.map { $0.prefix { $0 == " " }.count }.min() ?? 0
        return lines.map { $0.dropFirst(indentation) }.joined(separator: "\n")
    }
}

/// An article of the documentation.
struct Article {
    let file: TextFile

    /// All there are.
    static func all() throws -> [Article] {
        try TextFile.all(in: "Sources/EventLoop/EventLoop.docc", suffix: ".md").map(Article.init(file:))
    }

    init(_ name: String) throws {
        file = try TextFile("Sources/EventLoop/EventLoop.docc/\(name)")
    }

    /// Any text with blocks of code.
    init(file: TextFile) {
        self.file = file
    }

    /// The blocks of code in a language, such as `swift`.
    func blocks(in language: String) -> [String] {
        var blocks: [String] = []
        var open: (isWanted: Bool, lines: [Substring])?
        for line in file.lines {
            if line.hasPrefix("```") {
                if let block = open {
                    if block.isWanted { blocks.append(block.lines.joined(separator: "\n")) }
                    open = nil
                } else {
                    open = (line == "```\(language)", [])
                }
            } else {
                open?.lines.append(line)
            }
        }
        return blocks
    }

    /// The code in one column of all tables: what stands between backticks. Symbols, between double ones, are
    /// DocC's to check.
    func code(inColumn column: Int) -> [String] {
        file.lines.flatMap { line -> [String] in
            guard line.hasPrefix("| ") else { return [] }
            // A bar within a cell is written \|.
            let bar = "\u{1}"
            let cells = line.replacing("\\|", with: bar).split(separator: "|")
            guard column < cells.count else { return [] }
            return cells[column].replacing("``", with: "\u{2}").split(
                separator: "`", omittingEmptySubsequences: false
            )
            .enumerated().filter { $0.offset % 2 == 1 }
            .map { String($0.element.replacing(bar, with: "|")) }
        }
    }

    /// What follows `asyncio.` anywhere in the text.
    var namesOfAsyncio: [String] {
        file.lines.flatMap { line in
            line.matches(of: /asyncio\.([A-Za-z_.]*[A-Za-z_])/).map { String($0.output.1) }
        }
    }
}
