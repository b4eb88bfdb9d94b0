import Testing

@testable import EventLoop

/// That the chaos finds what it is there to find: each of these has a fault on purpose.
@Suite("chaos", .timeLimit(.minutes(5)))
struct ChaosTests {
    /// A lock that loses its place in line when who waits for it is cancelled after it was handed over.
    private final class FaultyLock {
        private let engine = EventLoop.current.engine
        private let waiters = WaitQueue(for: .lock)
        private var isLocked = false

        func withLock(_ body: () async throws -> Void) async throws {
            if isLocked {
                guard await engine.suspend(in: waiters) == .woken else { throw CancellationError() }
                // Here it should pass the lock on.
                try Task.checkCancellation()
            }
            isLocked = true
            defer { isLocked = engine.wakeFirst(in: waiters) }
            try await body()
        }
    }

    /// What is wrong with the first seed that fails, if one does.
    private func failure(
        seeds: Int = 1000, _ scenario: @escaping @Sendable (Chaos) async throws -> Void
    ) async throws -> SeedFailure? {
        let found = Recorder<SeedFailure>()
        try await withKnownIssue(isIntermittent: true) {
            try await chaos(seeds: seeds, scenario)
        } matching: { issue in
            if let failure = issue.error as? SeedFailure { found.add(failure) }
            return true
        }
        return found.all.first
    }

    @Test("a permit that is lost to a cancellation is found: nobody can go on")
    func lostPermit() async throws {
        let failure = try await failure { chaos in
            let lock = FaultyLock()
            for _ in 0..<4 { chaos.worker { try await lock.withLock { try await chaos.pause() } } }
            try await chaos.strikeAndEnd()
        }
        let error = try #require(failure?.error as? DeadlockError)
        #expect(error.tasks.contains("waits for a lock"))
    }

    @Test("what is left on the loop is found")
    func leftovers() async throws {
        let timer = try await failure(seeds: 1) { _ in EventLoop.current.callLater(.seconds(1)) {} }
        #expect("\(timer!.error)".contains("no waiter, of 1"))
        let task = try await failure(seeds: 1) { _ in spawn { try await sleep(until: .never) } }
        #expect("\(task!.error)".contains("no task but the scenario's, of 2"))
    }

    @Test("a worker that ends by a cancellation that was not its own is found")
    func strayCancellation() async throws {
        let failure = try await failure(seeds: 1) { chaos in
            let worker = chaos.worker { throw CancellationError() }
            try await chaos.end([worker])
        }
        #expect(failure?.error is CancellationError)
    }

    @Test(
        "workers are cancelled before their first step, while they wait, just after they were woken, at last")
    func moments() async throws {
        let seen = Recorder<String>()
        try await chaos { chaos in
            let promise = Promise<Void>()
            var place = "before its first step"
            let worker = chaos.worker {
                place = "while it waits"
                do { try await promise.future.value } catch { seen.add(place) }
                if place == "after it was woken", Task.isCancelled { seen.add(place) }
                place = "at last"
            }
            let waker = chaos.helper {
                try await chaos.pause()
                if place == "while it waits" { place = "after it was woken" }
                promise.succeed()
            }
            try await chaos.strike()
            if worker.isCancelled && place == "before its first step" { seen.add(place) }
            if worker.isCancelled && place == "at last" { seen.add(place) }
            try await waker.end()
            try await worker.end()
        }
        #expect(
            Set(seen.all).isSuperset(of: [
                "before its first step", "while it waits", "after it was woken", "at last",
            ]))
    }
}
