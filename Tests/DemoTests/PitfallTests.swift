import Testing

@Suite("Lessons: pitfalls", .timeLimit(.minutes(5)))
struct PitfallTests {
    @Test("blocking-the-loop: no ticks while it blocks; the watchdog speaks meanwhile, debug mode afterwards")
    func blockingTheLoop() async throws {
        // In real time: in time lapse a busy machine leaves the watchdog too little time to look.
        let lines = try await linesOfLesson("blocking-the-loop").compactMap(TimedLine.init)
        let texts = lines.map(\.text)
        let blocked = texts.indices.filter { texts[$0] == "blocking …" }
        let done = texts.indices.filter { texts[$0] == "… done" }
        try #require(blocked.count == 2 && done.count == 2)

        let meanwhile = texts[blocked[0]..<done[0]].dropFirst()
        let careless = "task careless, from Demos/BlockingTheLoop.swift:"
        #expect(meanwhile.first?.hasPrefix("watchdog: stuck in a step of \(careless)") == true)
        #expect(meanwhile.dropFirst().first?.hasPrefix("watchdog: in Demos.blockThread(") == true)
        #expect(!meanwhile.contains("tick"))
        #expect(lines[done[0]].seconds - lines[blocked[0]].seconds >= 3)
        #expect(texts[done[0] + 1].hasPrefix("debug mode: a step of \(careless)"))

        #expect(texts[blocked[1]..<done[1]].filter { $0 == "tick" }.count >= 2)
    }

    @Test("forgotten-await: what nobody awaits is cancelled at the end, of the program or of the scope")
    func forgottenAwait() async throws {
        try await expectLesson(
            "forgotten-await",
            prints: """
                0.00 A  is being saved …
                1.00 main: I have done what I had to
                1.00 A  is cancelled, and not saved
                1.00 in total

                0.00 B  is being saved …
                1.00 main: I have done what I had to
                3.00 B  is saved
                3.00 in total

                0.00 C  is being saved …
                1.00 main: I have done what I had to
                1.00 C  is cancelled, and not saved
                1.00 main: on I go, after the scope
                1.00 in total

                0.00 D  is being saved …
                1.00 main: I have done what I had to
                3.00 D  is saved
                3.00 main: on I go, after the scope
                3.00 in total
                """)
    }

    @Test("lost-error: a report at the end, or when the handle goes; none for Task { } and cancellations")
    func lostError() async throws {
        try await expectLesson(
            "lost-error", replacing: /LostError.swift:\d+/, with: "HERE",
            prints: """
                2.00 main: all is well?

                1.00 report: Nobody looked at the error of task orphan, spawned at Demos/HERE: OutOfPaper()
                2.00 main: now I know

                2.00 main: I let the handle go
                2.00 report: Nobody looked at the error of task ward, spawned at Demos/HERE: OutOfPaper()

                2.50 main: nothing to report

                1.00 main: caught OutOfPaper()
                """)
    }

    @Test("loop-in-a-loop: an error at once; awaited and in a thread it takes its second")
    func loopInALoop() async throws {
        let lines = try await linesOfLesson("loop-in-a-loop", "--fast").compactMap(TimedLine.init)
        let sections = lines.split { $0.text == "in total" }.map(Array.init)
        try #require(sections.map(\.count) == [1, 1, 1])
        #expect(sections[0][0].text.hasPrefix("error: This thread is already running an event loop"))
        for section in sections[1...] {
            #expect(section[0].text == "the report: 42 pages")
            #expect(section[0].seconds >= 1)
        }
    }
}
