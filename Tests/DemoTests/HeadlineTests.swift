import TestSupport
import Testing

@Suite("The headline", .timeLimit(.minutes(5)))
struct HeadlineTests {
    @Test("without arguments: the list, then both comparisons, in order and never early")
    func headline() async throws {
        let output = try await onThread {
            let program = try Program([])
            let lines = try program.remainingLines()
            #expect(try program.waitForEnd() == .exit(0))
            #expect(try program.errorLines().isEmpty)
            return lines
        }
        #expect(output.contains { $0.hasPrefix("  headline ") })
        #expect(output.filter { $0.contains("Speed-up: ") }.count == 2)
        let parts = output.compactMap(TimedLine.init).split { $0.text == "in total" }
        let totals = output.compactMap(TimedLine.init).filter { $0.text == "in total" }.map(\.seconds)
        try #require(parts.count == 4 && totals.count == 4)

        #expect(
            parts[0].map(\.text) == ["A  starts", "A  ends", "B  starts", "B  ends", "C  starts", "C  ends"])
        #expect(
            parts[1].map(\.text) == ["A  starts", "B  starts", "C  starts", "C  ends", "A  ends", "B  ends"])
        #expect(parts[1].filter { $0.text.hasSuffix("ends") }.map(\.seconds).allAreAtLeast([1, 2, 3]))

        #expect(parts[2].map { page(of: $0.text) } == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
        #expect(parts[3].prefix(5).map { page(of: $0.text) } == [1, 2, 3, 4, 5])
        #expect(Set(parts[3].dropFirst(5).prefix(3).map { page(of: $0.text) }) == [1, 3, 5])
        #expect(Set(parts[3].suffix(2).map { page(of: $0.text) }) == [2, 4])
        #expect(parts[3].suffix(5).map(\.seconds).allAreAtLeast([1, 1, 1, 2, 2]))
        #expect(parts[3].suffix(5).allSatisfy { $0.text.contains("  200  14 bytes") })

        let returned = output.filter { $0.hasPrefix("             http") }
        #expect(returned.map { page(of: $0) } == [1, 2, 3, 4, 5])
        #expect(returned.allSatisfy { $0.hasSuffix("  200  14 bytes") })

        #expect(totals.allAreAtLeast([6, 3, 7, 2]))
        // Generous, for a busy machine; but what overlaps must not add up.
        #expect(totals[1] < 6)
        #expect(totals[3] < 7)
        #expect(output.contains { $0.contains("one thread") })
    }

    private func page(of text: String) -> Int? {
        text.split(separator: "?page=").last.flatMap { Int($0.prefix { $0.isNumber }) }
    }
}

extension [Double] {
    fileprivate func allAreAtLeast(_ bounds: [Double]) -> Bool {
        count == bounds.count && zip(self, bounds).allSatisfy { $0 >= $1 }
    }
}
