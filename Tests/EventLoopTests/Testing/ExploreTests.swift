import TestSupport
import Testing

@testable import EventLoop

@Suite("explore", .timeLimit(.minutes(5)))
struct ExploreTests {
    /// An update gets lost when the second task reads before the first one has written. In the usual order
    /// the first always comes first.
    private static func updateTwice() async throws {
        var balance = 0
        let loop = EventLoop.current
        try await gather(
            {
                let before = balance
                try await sleep(for: .seconds(1))
                balance = before + 10
            },
            {
                try await sleep(for: .seconds(1))
                let before = balance
                await yield()
                balance = before + 20
            })
        #expect(loop.now == EventLoop.Instant(nanoseconds: 1_000_000_000))
        if balance != 30 { throw TestError("\(balance)") }
    }

    @Test("a race that the usual order never shows is found, and comes again each time with its seed")
    func race() async throws {
        try await onThread {
            for _ in 0..<100 { try EventLoop(clock: .virtual).runBody { try await Self.updateTwice() } }
            let failure = #expect(throws: SeedFailure.self) {
                try EventLoop.explore(seeds: 1000) { try await Self.updateTwice() }
            }
            let seed = try #require(failure?.seed)
            #expect("\(failure!)".hasPrefix("With seed \(seed) (to have it again, pass seed: \(seed)): "))
            for _ in 0..<100 {
                let again = #expect(throws: SeedFailure.self) {
                    try EventLoop.explore(seed: seed) { try await Self.updateTwice() }
                }
                #expect(again?.error as? TestError == failure?.error as? TestError)
            }
        }
    }

    @Test("it runs each seed once, in order, and stops at the first that fails")
    func order() async throws {
        try await onThread {
            let runs = Counter()
            try EventLoop.explore(seeds: 10, from: 100) { runs.increment() }
            #expect(runs.value == 10)
            let failure = #expect(throws: SeedFailure.self) {
                try EventLoop.explore(seeds: 10, from: 100) {
                    runs.increment()
                    if runs.value == 14 { throw TestError("fourth") }
                }
            }
            #expect(failure?.seed == 103 && failure?.error as? TestError == TestError("fourth"))
            #expect(runs.value == 14)
        }
    }

    @Test("the last seed of all is one like others")
    func lastSeed() async throws {
        try await onThread {
            let runs = Counter()
            try EventLoop.explore(seeds: 1, from: .max) { runs.increment() }
            try EventLoop.explore(seed: .max) { runs.increment() }
            #expect(runs.value == 2)
        }
    }

    @Test("what the body leaves behind is cancelled and awaited")
    func leftovers() async throws {
        try await onThread {
            let cleanedUp = Counter()
            try EventLoop.explore(seeds: 10) {
                spawn {
                    do { try await sleep(until: .never) } catch {
                        await yield()
                        cleanedUp.increment()
                    }
                }
                await yield()
            }
            #expect(cleanedUp.value == 10)
        }
    }

    @Test("the error of a spawned task that finds nobody is a failure")
    func unhandled() async throws {
        try await onThread {
            let failure = #expect(throws: SeedFailure.self) {
                try EventLoop.explore(seeds: 10) {
                    spawn(name: "lost") { throw TestError("nobody's") }
                    await yield()
                }
            }
            let error = try #require(failure?.error as? UnhandledError)
            #expect(error.taskName == "lost" && error.error as? TestError == TestError("nobody's"))
        }
    }

    @Test("it is refused inside a loop")
    func nested() async throws {
        try await onLoop { _ in
            _ = #expect(throws: EventLoopError.alreadyRunning) { try EventLoop.explore(seeds: 1) {} }
        }
    }

    // MARK: - Deadlocks

    private func deadlock(
        clock: EventLoop.ClockKind = .virtual, _ body: @escaping @Sendable () async throws -> Void
    ) async throws -> DeadlockError? {
        try await onThread {
            #expect(throws: DeadlockError.self) {
                try TestRun.run(clock: clock, seed: nil, patience: .zero, body)
            }
        }
    }

    @Test("tasks that wait for each other are a deadlock, which says who waits for what")
    func deadlock() async throws {
        let error = try await deadlock {
            let promise = Promise<Void>()
            let task = spawn(name: "first") { try await promise.future.value }
            try await task.value
        }
        let lines = "\(error!)".split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[0] == "Deadlock: no task can go on any more. Tasks of the event loop: 2")
        #expect(lines[1].contains("task main, from EventLoopTests/ExploreTests.swift:"))
        #expect(lines[1].contains("waits for task first, from EventLoopTests/ExploreTests.swift:"))
        #expect(lines[2].hasSuffix("waits for a future"))
    }

    @Test(
        "a task that waits for what nobody will write is stuck, on any clock",
        arguments: [
            EventLoop.ClockKind.virtual, .manual, .monotonic,
        ])
    func descriptor(clock: EventLoop.ClockKind) async throws {
        let error = try await deadlock(clock: clock) {
            let (one, other) = try streamPair()
            defer {
                one.close()
                other.close()
            }
            _ = try await one.read(upTo: 1)
        }
        #expect(error?.tasks.hasSuffix("to be readable") == true)
    }

    @Test("a manual clock that nobody moves is a deadlock, and no other clock with a deadline is")
    func deadlines() async throws {
        let error = try await deadlock(clock: .manual) { try await sleep(for: .seconds(1)) }
        #expect(error != nil)
        try await onThread {
            try TestRun.run(clock: .monotonic, seed: nil, patience: .zero) {
                try await sleep(for: .milliseconds(2))
            }
        }
    }

    @Test("a body that cannot even be cancelled is left behind, and the run ends")
    func leftBehind() async throws {
        let error = try await deadlock {
            try? await waitForNobody()
            await waitForEver()
        }
        #expect(error != nil)
        let left = try await onThread {
            #expect(throws: UnhandledError.self) {
                try TestRun.run(clock: .virtual, seed: nil, patience: .zero) {
                    spawn(name: "elsewhere") { await waitForEver() }
                    await yield()
                }
            }
        }
        #expect(left?.cause == .taskLeftBehind && left?.taskName == "elsewhere")
    }

    @Test("work on a thread is waited for, and is no deadlock")
    func offload() async throws {
        try await onThread {
            try TestRun.run(clock: .virtual, seed: nil, patience: .zero) {
                let loop = EventLoop.current
                let promise = Promise<Void>()
                loop.engine.offloadsUnderWay += 1
                let thread = Thread {
                    loop.callSoonThreadSafe { promise.succeed() }
                }
                try await promise.future.value
                loop.engine.offloadsUnderWay -= 1
                try await thread.value
            }
        }
    }

    @Test("who comes within its patience keeps a run from being stuck")
    func patience() async throws {
        try await onThread {
            try TestRun.run(clock: .virtual, seed: nil, patience: .seconds(60)) {
                let loop = EventLoop.current
                let promise = Promise<Void>()
                let thread = Thread { loop.callSoonThreadSafe { promise.succeed() } }
                try await promise.future.value
                try await thread.value
            }
        }
    }
}

/// Waits for a promise that is kept, and that nobody will set.
private func waitForNobody() async throws {
    let promise = Promise<Void>()
    defer { withExtendedLifetime(promise) {} }
    try await promise.future.value
}

/// Waits for something that the loop does not know, and that never happens. It is kept, so that it does not
/// count as a leak.
private func waitForEver() async {
    await withUnsafeContinuation { continuation in keptForEver.add(continuation) }
}

private let keptForEver = Recorder<UnsafeContinuation<Void, Never>>()
