import Testing

@Suite("Lessons: threads, cores and signals", .timeLimit(.minutes(5)))
struct ThreadLessonTests {
    /// What a lesson prints in time lapse with a time stamp, section by section.
    private func sections(of name: String) async throws -> [[TimedLine]] {
        try await sectionsAndLines(of: name).sections
    }

    /// The same, and all lines, with the chart.
    private func sectionsAndLines(
        of name: String
    ) async throws -> (sections: [[TimedLine]], lines: [String]) {
        let lines = try await linesOfLesson(name, "--fast")
        let timed = lines.compactMap(TimedLine.init)
        return (timed.split { $0.text == "in total" }.map(Array.init), lines)
    }

    @Test("threads: blocking requests overlap in threads, and the loop ticks meanwhile")
    func threads() async throws {
        let sections = try await sections(of: "threads")
        try #require(sections.count == 2)
        #expect(sections[0].map(\.text) == ["/delay/1  200", "/delay/2  200", "/delay/3  200"])
        #expect(sections[0][2].seconds >= 6)

        let answers = sections[1].filter { $0.text != "tick" }
        #expect(Set(answers.map(\.text)) == ["/delay/1  200", "/delay/2  200", "/delay/3  200"])
        for answer in answers {
            let delay = answer.text.split(separator: "/")[1].prefix(1)
            #expect(answer.seconds >= Double(delay)!)
        }
        #expect(sections[1].first?.text == "tick", "the loop is free before the first answer comes")
    }

    @Test("cpu-bound: one after another on the loop, in turns with yields, at once in threads")
    func cpuBound() async throws {
        let (sections, lines) = try await sectionsAndLines(of: "cpu-bound")
        try #require(sections.count == 3)
        let ticks = lines.filter { $0.hasPrefix("  ticks ") }
        #expect(ticks.first?.contains("╌╌╌╌╌╌╌╌") == true, "the chart shows that they were due")
        let texts = sections.map { $0.map(\.text).filter { $0 != "tick" } }
        let names = ["A", "B", "C", "D"]
        let begins = names.map { "\($0)  begins" }
        #expect(texts[0] == names.flatMap { ["\($0)  begins", "\($0)  ends"] })
        // The ticks come back, if at all, when everything is over.
        #expect(sections[0].dropLast().map(\.text).filter { $0 == "tick" }.isEmpty)
        #expect(sections[0].last!.seconds >= 4)

        #expect(texts[1] == begins + names.map { "\($0)  ends" })
        #expect(sections[1].filter { $0.text == "tick" }.count >= 2)
        #expect(sections[1].last!.seconds >= 4)

        #expect(texts[2].prefix(4) == begins[...])
        #expect(Set(texts[2].dropFirst(4)) == Set(names.map { "\($0)  ends" }))
    }

    @Test("many-loops: each request is answered once, and every loop answers its share")
    func manyLoops() async throws {
        let (sections, lines) = try await sectionsAndLines(of: "many-loops")
        try #require(sections.count == 2)
        let shares = lines.filter { $0.hasPrefix("  share ") }
        #expect(2...4 ~= shares.count, "the chart shows all loops")
        #expect(shares.allSatisfy { $0.contains("█") })
        #expect(
            Set(sections[0].map(\.text))
                == Set((1...8).map { "request \($0) is answered by the main loop" }))
        #expect(sections[0].last!.seconds >= 5)

        let loops = Set(sections[1].compactMap { $0.text.split(separator: " ").last }).count
        #expect(2...4 ~= loops)
        #expect(sections[1].count == 8)
        #expect(
            Set(sections[1].map(\.text))
                == Set((1...8).map { "request \($0) is answered by loop \(($0 - 1) % loops + 1)" }))
    }

    @Test("graceful-shutdown: one signal cancels, the other lets finish")
    func gracefulShutdown() async throws {
        try await expectLesson(
            "graceful-shutdown",
            prints: """
                1.00 A  has made item 1
                1.75 B  has made item 1
                2.00 A  has made item 2
                2.50 Ctrl-C
                2.50 A  puts its tools away
                2.50 B  puts its tools away
                2.50 main: the workers have ended; closing the books
                3.50 main: goodbye
                3.50 in total

                1.00 A  has made item 1
                1.75 B  has made item 1
                2.00 A  has made item 2
                2.50 SIGTERM
                3.00 A  has made item 3
                3.00 A  puts its tools away
                3.50 B  has made item 2
                3.50 B  puts its tools away
                3.50 main: the workers have ended; goodbye
                3.50 in total
                """)
    }
}
