import EventLoop
import EventLoopTesting
import Testing

@Suite("trait .virtualTime(seeds:)", .timeLimit(.minutes(5)))
struct SeedTests {
    private static func losing() -> @Sendable @concurrent () async throws -> Void {
        {
            let balance = try await updateTwice()
            #expect(balance == 30)
        }
    }

    @Test("the usual order never shows the race, some seed does, and shows it again each time")
    func race() async throws {
        #expect(try await observe(.virtualTime, Self.losing()).issues.isEmpty)
        let observed = try await observe(.virtualTime(seeds: 1000), Self.losing())
        #expect(observed.issues.count == 1)
        let comment = try #require(observed.comments.last)
        let seed = try #require(UInt64(comment.split(separator: " ")[2].dropLast()))
        #expect(comment.hasSuffix("write .virtualTime(seed: \(seed))."))
        for _ in 0..<3 {
            let again = try await observe(.virtualTime(seed: seed), Self.losing())
            #expect(again.comments == observed.comments)
        }
    }

    @Test("an issue keeps where it was and what it said")
    func issue() async throws {
        let observed = try await observe(.virtualTime(seed: 7)) {
            Issue.record("said")
        }
        #expect(observed.comments.first == "said" && observed.comments.count == 2)
        #expect(observed.issues.first?.sourceLocation?.fileName == "SeedTests.swift")
        #expect(observed.error == nil)
    }

    @Test("a thrown error names the seed, and ends the search")
    func thrown() async throws {
        let runs = Log<Int>()
        let observed = try await observe(.virtualTime(seeds: 10)) {
            runs.add(1)
            if runs.all.count == 4 { throw SomeError() }
        }
        let failure = try #require(observed.error as? SeedFailure)
        #expect(failure.seed == 3 && failure.error is SomeError && runs.all.count == 4)
        #expect("\(failure)".contains("seed: 3"))
    }

    @Test("what #require throws has been reported already")
    func required() async throws {
        let observed = try await observe(.virtualTime(seeds: 5, from: 5)) {
            try #require(Bool(false))
        }
        #expect(observed.issues.count == 1 && observed.comments.last?.contains("seed: 5") == true)
        #expect(observed.error is ExpectationFailedError)
    }

    @Test("a known issue does not end the search", .virtualTime(seeds: 10))
    func known() async throws {
        let runs = Log<Int>()
        let observed = try await observe(.virtualTime(seeds: 10)) {
            runs.add(1)
            withKnownIssue { #expect(Bool(false)) }
        }
        #expect(observed.error == nil && runs.all.count == 10)
    }
}
