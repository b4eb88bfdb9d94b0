import Testing

@Suite("The small demos", .timeLimit(.minutes(3)))
struct LessonTests {
    @Test("hello prints, waits at least a second, and prints")
    func hello() async throws {
        let start = SuspendingClock.now
        try await withProgram("hello") { program in
            let lines = try program.remainingLines().compactMap(TimedLine.init)
            #expect(lines.map(\.text) == ["Hello …", "… world!"])
            #expect(try program.waitForEnd() == .exit(0))
            #expect(SuspendingClock.now - start >= .seconds(1))
        }
    }

    @Test("tasks: B ends first, and both are awaited")
    func tasks() async throws {
        let lines = try await lines(of: "tasks")
        #expect(
            lines.map(\.text) == [
                "both are spawned; neither has run yet", "A starts", "B starts", "B ends", "A ends",
                "A returned 20",
                "B returned 10, a second ago", "in total",
            ])
        #expect(lines[3].seconds >= 1)
        #expect(lines[4].seconds >= 2)
    }

    @Test("gather: results in the order of the operations, errors thrown or collected")
    func gather() async throws {
        #expect(
            try await lines(of: "gather").map(\.text) == [
                "text is there", "42 is there", "returned 42 and text",
                "something fails", "slow is cancelled", "threw an error",
                "something fails", "number 1 is there", "number 3 is there",
                "success(\"number 1\")", "failure(an error)", "success(\"number 3\")",
                "number 1 is there", "number 2 is there", "number 3 is there", "number 4 is there",
                "number 5 is there",
            ])
    }

    @Test("echo: each client gets its own lines back, in their order")
    func echo() async throws {
        let lines = try await lines(of: "echo").map(\.text)
        for name in ["one", "two", "three"] {
            let own = lines.filter { $0.hasPrefix("\(name) ") }.compactMap { $0.split(separator: ": ").last }
            #expect(own == ["hello from \(name)", "again from \(name)", "goodbye from \(name)"])
        }
        #expect(lines.last == "server  has stopped")
    }

    private func lines(of demo: String) async throws -> [TimedLine] {
        try await withProgram(demo) { program in
            let lines = try program.remainingLines().compactMap(TimedLine.init)
            #expect(try program.waitForEnd() == .exit(0))
            #expect(try program.errorLines().isEmpty)
            return lines
        }
    }
}

/// A line with a time stamp, such as `   1.00 s   A  ends`.
struct TimedLine {
    let seconds: Double
    let text: String

    init?(_ line: String) {
        let words = line.split(separator: " ")
        guard words.count > 2, words[1] == "s", let seconds = Double(words[0]),
            let unit = line.firstRange(of: " s   ")
        else { return nil }
        self.seconds = seconds
        text = String(line[unit.upperBound...])
    }
}
