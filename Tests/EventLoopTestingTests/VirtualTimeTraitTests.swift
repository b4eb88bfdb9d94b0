import EventLoop
import Testing

@testable import EventLoopTesting

@Suite("trait .virtualTime", .timeLimit(.minutes(5)))
struct VirtualTimeTraitTests {
    @Test("the test runs on a loop whose clock leaps", .virtualTime)
    func leaps() async throws {
        try await sleep(for: .seconds(3600))
        #expect(EventLoop.current.now == EventLoop.Instant(nanoseconds: 3_600_000_000_000))
        try await Task.sleep(for: .seconds(3600))
        #expect(EventLoop.current.now == EventLoop.Instant(nanoseconds: 7_200_000_000_000))
    }

    @Test("children and spawned tasks run on the loop, too", .virtualTime)
    func children() async throws {
        let loop = EventLoop.current
        async let one = loop.isOnLoopThread
        let two = await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                try? await sleep(for: .seconds(1))
                return loop.isOnLoopThread
            }
            return await group.next()!
        }
        let three = try await spawn { loop.isOnLoopThread }.value
        #expect(await (one, two, three) == (true, true, true))
    }

    @Test("each argument has a loop of its own", .virtualTime, arguments: 1...3)
    func arguments(seconds: Int) async throws {
        #expect(EventLoop.current.now == EventLoop.Instant(nanoseconds: 0))
        try await sleep(for: .seconds(seconds))
        #expect(EventLoop.current.now == EventLoop.Instant(nanoseconds: UInt64(seconds) * 1_000_000_000))
    }

    @Test("each seed is a run from the start", .virtualTime(seeds: 20))
    func seeds() async throws {
        #expect(EventLoop.current.now == EventLoop.Instant(nanoseconds: 0))
        try await sleep(for: .seconds(1))
    }

    @Test("a cancellation of the test reaches its waits")
    func cancellation() async throws {
        let task = Task {
            try await observe(.virtualTime) {
                withUnsafeCurrentTask { $0?.cancel() }
                try await sleep(until: .never)
            }
        }
        #expect(try await task.value.error is CancellationError)
    }

    @Test("what a test leaves behind is cancelled, and awaited")
    func leftovers() async throws {
        let log = Log<String>()
        let observed = try await observe(.virtualTime) {
            spawn {
                do { try await sleep(for: .seconds(10)) } catch { log.add("\(type(of: error))") }
                await yield()
                log.add("cleaned up")
            }
            await yield()
        }
        #expect(observed.error == nil && observed.issues.isEmpty)
        #expect(log.all == ["CancellationError", "cleaned up"])
    }

    @Test("an error of a spawned task that finds nobody is the test's")
    func unhandled() async throws {
        let observed = try await observe(.virtualTime) {
            spawn(name: "lost") { throw SomeError() }
            await yield()
        }
        let error = try #require(observed.error as? UnhandledError)
        #expect(error.taskName == "lost" && error.error is SomeError)
    }

    @Test("a test on the main actor is told to leave it")
    func mainActor() async throws {
        let result = await #expect(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await VirtualTimeTrait.virtualTime.run(seed: nil) {
                await MainActor.run { _ = EventLoop.current }
            }
        }
        let sentence = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(sentence.contains("make it nonisolated"))
    }
}

@Suite("trait .virtualTime of a suite", .virtualTime)
struct VirtualTimeOfASuiteTests {
    @Test("its tests run on loops of their own")
    func inherited() async throws {
        try await sleep(for: .seconds(60))
        #expect(EventLoop.current.now == EventLoop.Instant(nanoseconds: 60_000_000_000))
    }

    @Test("a test's own trait replaces the suite's", .virtualTime(seeds: 3))
    func own() async throws {
        let test = try #require(Test.current)
        let traits = test.traits.compactMap { $0 as? VirtualTimeTrait }
        let scopes = traits.map { $0.scopeProvider(for: test, testCase: Test.Case.current) != nil }
        #expect(scopes == [false, true])
    }
}
