import TestSupport
import Testing

/// The documentation cannot drift: its code is code of tests, and its tables are complete.
@Suite("The guide")
struct GuideTests {
    @Test("each block of Swift in an article is a passage of a test")
    func blocks() throws {
        let passages = Set(try Snippet.all().map(\.text))
        for article in try Article.all() {
            for block in article.blocks(in: "swift") {
                if !passages.contains(block) {
                    Issue.record("\(article.file.path): no test has this passage:\n\(block)")
                }
            }
        }
    }

    @Test("each piece of Swift in the tables of the migration guide is a passage of a test")
    func rows() throws {
        let passages = Set(try Snippet.all().map { compact($0.text) })
        let rows = try Article("AsyncioInSwift.md").code(inColumn: 1)
        #expect(rows.count > 40)
        for row in rows {
            if !passages.contains(compact(row)) { Issue.record("no test has this passage: \(row)") }
        }
    }

    @Test("each passage is shown in an article")
    func passages() throws {
        let articles = try Article.all()
        let blocks = Set(articles.flatMap { $0.blocks(in: "swift") })
        let rows = Set(try Article("AsyncioInSwift.md").code(inColumn: 1).map(compact))
        for snippet in try Snippet.all() {
            if !blocks.contains(snippet.text) && !rows.contains(compact(snippet.text)) {
                Issue.record("no article shows \(snippet.name):\n\(snippet.text)")
            }
        }
    }

    @Test("the program that guide and README begin with does what they say")
    func program() async throws {
        let passage = try #require(try Snippet.all().first { $0.name == "main.swift: program" }).text
        #expect(try Article("AsyncioInSwift.md").blocks(in: "swift").first == passage)
        #expect(Article(file: try TextFile("README.md")).blocks(in: "swift").first == passage)
        let start = SuspendingClock.now
        let child = try await ChildProcess.run(ChildProcess.executable("GuideProgram"))
        #expect(child.ending == .exit(0))
        #expect(child.output == "A done B done\n")
        #expect(SuspendingClock.now - start >= .seconds(2))
    }

    @Test("each name of asyncio has its place in the table, and no other has")
    func names() throws {
        let names = try namesOfAsyncio()
        let rows = try Article("AsyncioNames.md").code(inColumn: 0)
        for name in Set(names).subtracting(rows) { Issue.record("\(name) has no row") }
        for name in Set(rows).subtracting(names) { Issue.record("\(name) is no name of asyncio") }
        #expect(rows.count == Set(rows).count, "a name has two rows")
    }

    @Test("the articles speak of no name that asyncio does not have")
    func spelling() throws {
        let names = Set(try namesOfAsyncio())
        for article in try Article.all() {
            for name in article.namesOfAsyncio {
                #expect(names.contains(name), "\(article.file.path): asyncio.\(name)")
            }
        }
    }

    private func namesOfAsyncio() throws -> [String] {
        try TextFile("Tests/GuideTests/asyncio-names.txt").lines
            .filter { !$0.isEmpty && !$0.hasPrefix("#") }.map(String.init)
    }

    /// A row has one line where a test may need several.
    private func compact(_ code: String) -> String {
        code.filter { !$0.isWhitespace }
    }
}
