import Testing

@Suite("Lessons: first steps", .timeLimit(.minutes(5)))
struct FirstStepsTests {
    @Test("in real time, hello waits for a second")
    func hello() async throws {
        let start = SuspendingClock.now
        let lines = try await linesOfLesson("hello").compactMap(TimedLine.init)
        #expect(lines.map(\.text) == ["Hello …", "… world!"])
        #expect(SuspendingClock.now - start >= .seconds(1))
    }

    @Test("in real time, of two tasks the shorter one ends first")
    func realTasks() async throws {
        let lines = try await linesOfLesson("tasks").compactMap(TimedLine.init)
        #expect(lines.dropFirst().prefix(4).map(\.text) == ["A starts", "B starts", "B ends", "A ends"])
        #expect(lines[3].seconds >= 1)
        #expect(lines[4].seconds >= 2)
    }

    @Test("event-loop: at an await, and only there, tasks take turns")
    func eventLoop() async throws {
        let lines = try await expectLesson(
            "event-loop",
            prints: """
                0.00 A  begins, and waits
                0.00 B  begins, and waits
                1.00 B  goes on, and ends
                2.00 A  goes on, and ends

                0.00 C  step 1
                0.00 D  step 1
                0.00 C  step 2
                0.00 D  step 2
                0.00 C  step 3
                0.00 D  step 3

                0.00 E  step 1
                0.00 E  step 2
                0.00 E  step 3
                0.00 F  step 1
                0.00 F  step 2
                0.00 F  step 3
                """)
        // Two sections take no time, and the chart does not pass over them in silence.
        #expect(lines.filter { $0 == "  (Too short for a chart.)" }.count == 2)
    }

    @Test("coroutines: 5 s one after the other, 3 s at once")
    func coroutines() async throws {
        try await expectLesson(
            "coroutines",
            prints: """
                0.00 fetching …
                3.00 … fetched
                3.00 processing …
                5.00 … processed
                5.00 there are 3 pages and 200 words
                5.00 in total

                0.00 fetching …
                0.00 processing …
                2.00 … processed
                3.00 … fetched
                3.00 there are 3 pages and 200 words
                3.00 in total

                0.00 fetching …
                0.00 processing …
                2.00 … processed
                3.00 … fetched
                3.00 there are 3 pages and 200 words
                3.00 in total
                """)
    }

    @Test("tasks: B ends first, and both are awaited")
    func tasks() async throws {
        try await expectLesson(
            "tasks",
            prints: """
                0.00 both are spawned; neither has run yet
                0.00 A starts
                0.00 B starts
                1.00 B ends
                2.00 A ends
                2.00 A returned 20
                2.00 B returned 10, a second ago
                2.00 in total
                """)
    }

    @Test("futures: set once, seen by callbacks and by all who await")
    func futures() async throws {
        try await expectLesson(
            "futures",
            prints: """
                0.00 is it done? false
                2.00 set: those who wait are ready, and run in the loop's next round
                2.00 callback: success(42)
                2.00 A got 42
                2.00 B got 42
                2.00 is it done? true: whoever asks now has 42 at once

                1.00 looked up: 127.0.0.1
                2.00 threw: UnknownName(name: "nowhere")

                0.00 threw: The promise was dropped before its result was set.
                """)
    }

    @Test("sync-async: 6 s against 3 s")
    func syncAsync() async throws {
        try await expectLesson(
            "sync-async",
            prints: """
                0.00 A  starts
                2.00 A  ends
                2.00 B  starts
                5.00 B  ends
                5.00 C  starts
                6.00 C  ends
                6.00 in total

                0.00 A  starts
                0.00 B  starts
                0.00 C  starts
                1.00 C  ends
                2.00 A  ends
                3.00 B  ends
                3.00 in total
                """)
    }
}
