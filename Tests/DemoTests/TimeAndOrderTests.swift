import Testing

/// These lessons make loops of their own: their time stamps are real time, and are not looked at.
@Suite("Lessons: time and order", .timeLimit(.minutes(5)))
struct TimeAndOrderTests {
    @Test("virtual-time: a week passes, in order, and the manual clock moves when it is told to")
    func virtualTime() async throws {
        let lines = try await linesOfLesson("virtual-time").compactMap(TimedLine.init)
        #expect(
            lines.map(\.text) == [
                " 24 h   backup of night 1",
                " 36 h   no answer for 36 hours: TimeoutError",
                " 48 h   backup of night 2",
                " 60 h   the meeting",
                " 72 h   backup of night 3",
                " 96 h   backup of night 4",
                "120 h   backup of night 5",
                "144 h   backup of night 6",
                "168 h   backup of night 7",
                "a nanosecond before the hour: has it rung? false",
                "on the hour: has it rung? true",
            ])
    }

    @Test("race-by-seed: hidden by the usual order, found by a seed, the same again, and mended")
    func raceBySeed() async throws {
        let lines = try await linesOfLesson("race-by-seed")
        let texts = lines.compactMap(TimedLine.init).map(\.text)
        try #require(texts.count == 10)
        #expect(
            texts[..<4] == [
                "A  finds 100, and notes it in the books",
                "A  takes 80: there are 20",
                "B  is refused: there are 20",
                "overdrawn in 0 of 100 runs: the usual order is always the same",
            ])
        let seed = try #require(texts[4].split(separator: " ").last)
        #expect(texts[4].hasSuffix(" of 1000 runs, first with seed \(seed)"))
        #expect(lines.contains { $0.contains("The run with seed \(seed) again") })
        // Whichever seed it is: both find the money before one takes it.
        #expect(texts[5...6].sorted() == ["A", "B"].map { "\($0)  finds 100, and notes it in the books" })
        #expect(texts[7].hasSuffix("  takes 80: there are 20"))
        #expect(texts[8].hasSuffix("  takes 80: there are -60"))
        #expect(texts[9] == "overdrawn in 0 of 1000 runs")
    }
}
