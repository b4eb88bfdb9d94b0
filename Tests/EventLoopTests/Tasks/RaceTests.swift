import TestSupport
import Testing

@testable import EventLoop

@Suite("race and firstSuccess", .timeLimit(.minutes(5)))
struct RaceTests {
    @Test("the first value wins; the others are cancelled and awaited")
    func value() throws {
        try virtually {
            var ended: [Int] = []
            let time = try await elapsed {
                let winner = try await race([3, 1, 2]) { number in
                    do { try await sleep(for: .seconds(number)) } catch {
                        await turns(2)
                        ended.append(number)
                        throw error
                    }
                    return number
                }
                #expect(winner == 1)
            }
            #expect(time == .seconds(1))
            #expect(ended == [3, 2])
        }
    }

    @Test("the first error wins, too")
    func failure() throws {
        try virtually {
            await #expect(throws: TestError("fast")) {
                try await race(
                    { () -> Int in
                        try await sleep(for: .seconds(1))
                        throw TestError("fast")
                    },
                    {
                        try await sleep(for: .seconds(2))
                        return 1
                    })
            }
        }
    }

    @Test("two and three operations")
    func arity() throws {
        try virtually {
            func after(_ seconds: Int) async throws -> Int {
                try await sleep(for: .seconds(seconds))
                return seconds
            }
            let ofTwo = try await race({ try await after(2) }, { try await after(1) })
            let ofThree = try await race(
                { try await after(2) }, { try await after(3) }, { try await after(1) })
            #expect(ofTwo == 1 && ofThree == 1)
        }
    }

    @Test("an operation that ends at once wins, and those after it are not started")
    func atOnce() throws {
        try virtually {
            var started: [Int] = []
            let engine = EventLoop.current.engine
            let turns = engine.state.counts.turns
            let winner = try await race([1, 2, 3]) { number in
                started.append(number)
                if number == 1 { try await sleep(until: .never) }
                return number
            }
            #expect(winner == 2 && started == [1, 2])
            // The first had to end, that is all.
            #expect(engine.state.counts.turns <= turns + 3)
        }
    }

    @Test("of two that end in one turn the one that ends first wins, and what the other returns is dropped")
    func tie() throws {
        try virtually {
            for (first, second) in [(1, 2), (2, 1)] {
                let gate = Promise<Int>()
                let future = gate.future
                EventLoop.current.callSoon { gate.succeed(1) }
                let winner = try await race([first, second]) { number in
                    _ = try? await future.value
                    return number
                }
                #expect(winner == first)
            }
        }
    }

    @Test("a loser that does not heed its cancellation is waited for")
    func stubborn() throws {
        try virtually {
            var isDone = false
            let winner = try await race(
                { 1 + (try await sleepOne()) },
                {
                    try? await sleep(until: .never)
                    await turns(5)
                    isDone = true
                    return 2
                })
            #expect(winner == 1 && isDone)
        }
        func sleepOne() async throws -> Int {
            try await sleep(for: .seconds(1))
            return 0
        }
    }

    @Test("a cancelled caller cancels all")
    func cancelled() throws {
        try virtually {
            let ended = Counter()
            let caller = spawn {
                try await race(0..<3) { _ in
                    defer { ended.increment() }
                    try await sleep(until: .never)
                }
            }
            await turns(2)
            caller.cancel()
            await #expect(throws: CancellationError.self) { try await caller.value }
            #expect(ended.value == 3)
            let late = spawn {
                withUnsafeCurrentTask { $0?.cancel() }
                try await race(0..<3) { _ in ended.increment() }
            }
            await #expect(throws: CancellationError.self) { try await late.value }
            #expect(ended.value == 3)
        }
    }

    // MARK: - firstSuccess

    @Test("the first value wins, whatever failed before")
    func firstValue() throws {
        try virtually {
            let time = try await elapsed {
                let winner = try await firstSuccess(1...4) { number in
                    try await sleep(for: .seconds(number))
                    if number < 3 { throw TestError("\(number)") }
                    return number
                }
                #expect(winner == 3)
            }
            #expect(time == .seconds(3))
        }
    }

    @Test("when all fail, all errors are thrown, in the order of the elements")
    func allFail() throws {
        try virtually {
            let error = await #expect(throws: EveryOperationFailed.self) {
                try await firstSuccess([3, 1, 2]) { number in
                    try await sleep(for: .seconds(number))
                    throw TestError("\(number)")
                }
            }
            let errors = try #require(error).errors.map { $0 as? TestError }
            #expect(errors == [TestError("3"), TestError("1"), TestError("2")])
            #expect("\(error!)".hasPrefix("All of 3 operations failed: TestError(name: \"3\"); "))
        }
    }

    @Test("a cancelled caller gets a CancellationError and no list of them")
    func firstSuccessCancelled() throws {
        try virtually {
            let caller = spawn {
                try await firstSuccess(0..<3) { _ in try await sleep(until: .never) }
            }
            await turns(2)
            caller.cancel()
            await #expect(throws: CancellationError.self) { try await caller.value }
        }
    }

    @Test("no operation at all traps with a sentence")
    func empty() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try EventLoop().runBody { _ = try await race([Int]()) { $0 } }
        }
        #expect(result.sentence.contains("race needs at least one operation."))
    }
}
