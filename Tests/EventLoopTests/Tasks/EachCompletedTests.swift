import TestSupport
import Testing

@testable import EventLoop

@Suite("asCompleted, of operations", .timeLimit(.minutes(5)))
struct EachCompletedTests {
    @Test("values come in the order in which they are there, with their elements")
    func order() throws {
        let order = try virtually {
            var order: [String] = []
            let time = try await elapsed {
                try await asCompleted([3, 1, 2]) { number in
                    try await sleep(for: .seconds(number))
                    return number * 10
                } each: { number, value in
                    order.append("\(number): \(value)")
                }
            }
            #expect(time == .seconds(3))
            return order
        }
        #expect(order == ["1: 10", "2: 20", "3: 30"])
    }

    @Test("no elements: nothing happens")
    func empty() throws {
        try virtually {
            try await asCompleted([Int]()) {
                $0
            } each: { _, _ in
                Issue.record("nothing to hand on")
            }
        }
    }

    @Test("with a limit, that many run at once")
    func limit() throws {
        try virtually {
            var (running, most, sum) = (0, 0, 0)
            let time = try await elapsed {
                try await asCompleted(1...9, limit: 3) { number in
                    running += 1
                    most = max(most, running)
                    try await sleep(for: .seconds(1))
                    running -= 1
                    return number
                } each: { _, value in
                    sum += value
                }
            }
            #expect(most == 3 && sum == 45 && time == .seconds(3))
        }
    }

    @Test("with a limit, a consumer that is slow slows the operations down")
    func backpressure() throws {
        try virtually {
            var (started, consumed, furthestAhead) = (0, 0, 0)
            try await asCompleted(0..<20, limit: 2) { _ in
                started += 1
                furthestAhead = max(furthestAhead, started - consumed)
                await yield()
            } each: { _, _ in
                try await sleep(for: .seconds(1))
                consumed += 1
            }
            #expect(consumed == 20)
            #expect(furthestAhead == 3)
        }
    }

    @Test("operations that do not suspend are handed on all the same, without starving others")
    func immediate() throws {
        try virtually {
            let turns = Counter()
            let other = spawn {
                while !Task.isCancelled {
                    await yield()
                    turns.increment()
                }
            }
            var sum = 0
            try await asCompleted(0..<10_000) {
                $0
            } each: {
                sum += $1
            }
            #expect(sum == 9999 * 5000)
            #expect(turns.value > 10)
            other.cancel()
            try await other.value
        }
    }

    // MARK: - Errors

    @Test("an operation's error cancels the others, waits for them, and is thrown", arguments: [nil, 3])
    func failure(limit: Int?) throws {
        try virtually {
            var (ended, handedOn, started) = (0, [Int](), 0)
            await #expect(throws: TestError("2")) {
                try await asCompleted(1...5, limit: limit) { number in
                    started += 1
                    do { try await sleep(for: .seconds(number)) } catch {
                        await turns(3)
                        ended += 1
                        throw error
                    }
                    if number == 2 { throw TestError("2") }
                    return number
                } each: { number, _ in
                    handedOn.append(number)
                }
            }
            #expect(handedOn == [1])
            // With the limit, the fourth took the first's place and the fifth the second's.
            #expect(started == 5 && ended == 3)
        }
    }

    @Test("an error of the consumer cancels the operations, too")
    func consumerFails() throws {
        try virtually {
            var ended = 0
            let time = await elapsed {
                await #expect(throws: TestError("enough")) {
                    try await asCompleted(1...5) { number in
                        defer { ended += 1 }
                        try await sleep(for: .seconds(number))
                    } each: { number, _ in
                        if number == 2 { throw TestError("enough") }
                    }
                }
            }
            #expect(ended == 5 && time == .seconds(2))
        }
    }

    @Test("resultsAsCompleted hands errors on and cancels nobody")
    func results() throws {
        let order = try virtually {
            var order: [String] = []
            try await resultsAsCompleted([3, 1, 2]) { number in
                try await sleep(for: .seconds(number))
                if number == 1 { throw TestError("one") }
                return number
            } each: { number, result in
                order.append("\(number): \((try? result.get()).map(String.init) ?? "failed")")
            }
            return order
        }
        #expect(order == ["1: failed", "2: 2", "3: 3"])
    }

    // MARK: - Cancellation

    @Test(
        "a cancelled caller: all are cancelled and awaited, and nothing more is handed on",
        arguments: [nil, 2])
    func cancelled(limit: Int?) throws {
        try virtually {
            let (ended, handedOn) = (Counter(), Counter())
            let caller = spawn {
                try await resultsAsCompleted(0..<5, limit: limit) { _ in
                    defer { ended.increment() }
                    try await sleep(until: .never)
                } each: { _, _ in
                    handedOn.increment()
                }
            }
            await turns(3)
            caller.cancel()
            await #expect(throws: CancellationError.self) { try await caller.value }
            #expect(ended.value == limit ?? 5 && handedOn.value == 0)
        }
    }

    @Test("a caller that is cancelled before starts nothing")
    func cancelledBefore() throws {
        try virtually {
            let started = Counter()
            let caller = spawn {
                withUnsafeCurrentTask { $0?.cancel() }
                try await asCompleted(0..<5) { _ in
                    started.increment()
                } each: { _, _ in
                }
            }
            await #expect(throws: CancellationError.self) { try await caller.value }
            #expect(started.value == 0)
        }
    }

    // MARK: - Where it runs

    @Test("the operations and the consumer of an actor run in its isolation")
    func isolation() async throws {
        try await onLoop { loop in
            let log = try await LoopActor(loop).collect()
            #expect(log.count == 12)
        }
    }

    @Test("a limit below 1 traps with a sentence")
    func badLimit() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try EventLoop().runBody {
                try await asCompleted([1], limit: 0) {
                    $0
                } each: { _, _ in
                }
            }
        }
        #expect(result.sentence.contains("asCompleted needs a limit of at least 1."))
    }
}

/// Lives on a loop.
private actor LoopActor {
    private let loop: EventLoop
    private var log: [Int] = []

    init(_ loop: EventLoop) {
        self.loop = loop
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        loop.serialExecutor.asUnownedSerialExecutor()
    }

    func collect() async throws -> [Int] {
        try await asCompleted(0..<6, limit: 2) { number in
            self.preconditionIsolated()
            self.log.append(number)
            await yield()
            return number
        } each: { number, _ in
            self.preconditionIsolated()
            self.log.append(number)
            await yield()
        }
        return log
    }
}
