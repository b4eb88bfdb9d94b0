import Testing

@testable import EventLoop

@Suite("Gather", .timeLimit(.minutes(5)))
struct GatherTests {
    // MARK: - Results

    @Test("a tuple has the values in the order of the operations, whatever their types")
    func tupleOrder() async throws {
        try await onLoop { _ in
            let (number, text, flag) = try await gather(
                {
                    try await sleep(for: .milliseconds(3))
                    return 1
                },
                {
                    try await sleep(for: .milliseconds(1))
                    return "two"
                }, { true })
            #expect(number == 1)
            #expect(text == "two")
            #expect(flag)
        }
    }

    @Test("operations of either kind of function type can be elements")
    func functionElements() async throws {
        try await onLoop { _ in
            let here: [() async throws -> Int] = [{ 1 }, { 2 }]
            let elsewhere: [@concurrent () async throws -> Int] = [{ 3 }, { 4 }]
            let first = try await gather(here) { try await $0() }
            let second = try await gather(elsewhere) { try await $0() }
            #expect(first + second == [1, 2, 3, 4])
        }
    }

    @Test("an array has the values in the order of the sequence", arguments: [nil, 1, 3, 1000])
    func arrayOrder(limit: Int?) async throws {
        try await onLoop { _ in
            let values = try await gather(
                operations(20) { number in
                    {
                        try await sleep(for: .microseconds(20 - number))
                        return number
                    }
                }, limit: limit
            ) { try await $0() }
            #expect(values == (0..<20).map { $0 })
        }
    }

    @Test("nothing to gather gives an empty array", arguments: [nil, 2])
    func empty(limit: Int?) async throws {
        try await onLoop { _ in
            let none: [() async throws -> Int] = []
            let values = try await gather(none, limit: limit) { try await $0() }
            #expect(values.isEmpty)
            let results = await gatherResults(none, limit: limit) { try await $0() }
            #expect(results.isEmpty)
        }
    }

    @Test("any sequence will do")
    func sequence() async throws {
        try await onLoop { _ in
            let values = try await gather((0..<3).lazy) { $0 * 2 }
            #expect(values == [0, 2, 4])
        }
    }

    @Test("operations start at once and in order, each until its first suspension")
    func start() async throws {
        try await onLoop { _ in
            var log: [String] = []
            _ = try await gather(
                operations(3) { number in
                    {
                        log.append("start \(number)")
                        await yield()
                        log.append("end \(number)")
                    }
                }
            ) { try await $0() }
            #expect(log == ["start 0", "start 1", "start 2", "end 0", "end 1", "end 2"])
        }
    }

    @Test("operations that are not Sendable share the caller's state without a lock")
    func sharedState() async throws {
        try await onLoop { loop in
            var total = 0
            var wereHere = true
            _ = try await gather(
                operations(100) { number in
                    {
                        let before = total
                        wereHere = wereHere && loop.isOnLoopThread
                        total = before + number
                        try await sleep(for: .zero)
                        wereHere = wereHere && loop.isOnLoopThread
                        total += 1
                    }
                }
            ) { try await $0() }
            #expect(total == 4950 + 100)
            #expect(wereHere)
        }
    }

    @Test("gathers may be nested")
    func nested() async throws {
        try await onLoop { _ in
            let sums = try await gather(
                operations(10) { outer in
                    {
                        try await gather(
                            operations(10) { inner in
                                {
                                    try await sleep(for: .zero)
                                    return outer * inner
                                }
                            }
                        ) { try await $0() }.reduce(0, +)
                    }
                }
            ) { try await $0() }
            #expect(sums == (0..<10).map { $0 * 45 })
        }
    }

    @Test("100,000 operations", arguments: [nil, 1000])
    func many(limit: Int?) async throws {
        try await onLoop { _ in
            let values = try await gather(
                operations(100_000) { number in
                    {
                        await yield()
                        return number
                    }
                }, limit: limit
            ) { try await $0() }
            #expect(values.count == 100_000)
            #expect(values.enumerated().allSatisfy { $0 == $1 })
        }
    }

    // MARK: - Errors

    @Test("the first error cancels the others, awaits them and is thrown; later ones are dropped")
    func firstError() async throws {
        try await onLoop { loop in
            var log: [String] = []
            let unhandled = Recorder<String>()
            loop.setErrorHandler { unhandled.add("\($0)") }
            let list = operations(4) { number in
                { () -> Int in
                    do {
                        if number == 2 {
                            await yield()
                            throw TestError("first")
                        }
                        try await sleep(until: .never)
                    } catch is CancellationError {
                        log.append("cancelled \(number)")
                        // Not to be cut short: a cancelled task may clean up.
                        await turns(3)
                        log.append("cleaned up \(number)")
                        throw TestError("later")
                    }
                    return number
                }
            }
            await #expect(throws: TestError("first")) { try await gather(list) { try await $0() } }
            #expect(
                log == [
                    "cancelled 0", "cancelled 1", "cancelled 3", "cleaned up 0", "cleaned up 1",
                    "cleaned up 3",
                ])
            #expect(unhandled.count == 0)
        }
    }

    @Test("a tuple's first error cancels the others, too")
    func firstErrorOfTuple() async throws {
        try await onLoop { _ in
            var wasCancelled = false
            await #expect(throws: TestError("first")) {
                _ = try await gather(
                    {
                        do { try await sleep(until: .never) } catch {
                            wasCancelled = true
                            throw error
                        }
                    },
                    {
                        await yield()
                        throw TestError("first")
                    })
            }
            #expect(wasCancelled)
        }
    }

    @Test("after an error at the first step later operations are not started", arguments: [nil, 1, 2])
    func errorAtFirstStep(limit: Int?) async throws {
        try await onLoop { _ in
            var started: [Int] = []
            let list = operations(5) { number in
                {
                    started.append(number)
                    if number == 1 { throw TestError("at once") }
                }
            }
            await #expect(throws: TestError("at once")) {
                _ = try await gather(list, limit: limit) { try await $0() }
            }
            #expect(started == [0, 1])
        }
    }

    // MARK: - Limit

    @Test("no more than the limit run at once", arguments: [1, 2, 7])
    func limit(_ limit: Int) async throws {
        try await onLoop { _ in
            var running = 0
            var most = 0
            _ = try await gather(
                operations(50) { number in
                    {
                        running += 1
                        most = max(most, running)
                        try await sleep(for: .microseconds(number % 5 * 50))
                        running -= 1
                    }
                }, limit: limit
            ) { try await $0() }
            #expect(most == limit)
            #expect(running == 0)
        }
    }

    @Test("with a limit, operations that had to wait are not started after an error")
    func limitAndError() async throws {
        try await onLoop { _ in
            var started: [Int] = []
            let list = operations(10) { number in
                {
                    started.append(number)
                    await yield()
                    if number == 2 { throw TestError("third") }
                    try await sleep(for: .zero)
                }
            }
            await #expect(throws: TestError("third")) {
                _ = try await gather(list, limit: 3) { try await $0() }
            }
            #expect(started == [0, 1, 2])
        }
    }

    @Test("a limit below 1 traps with a sentence")
    func badLimit() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { _ in
                _ = try await gather(operations(1) { _ in {} }, limit: 0) { try await $0() }
            }
        }
        #expect(result.sentence.contains("gather needs a limit of at least 1."))
    }

    @Test("gather outside a loop traps with a sentence")
    func outside() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            _ = try await gather({ 1 }, { 2 })
        }
        #expect(result.sentence.contains("gather was called outside a running event loop"))
    }

    // MARK: - Cancellation as a whole

    @Test("cancelling the caller cancels all and awaits them", arguments: [nil, 3])
    func cancelled(limit: Int?) async throws {
        try await onLoop { _ in
            let ended = Counter()
            let task = spawn {
                try await gather(
                    operations(5) { _ in
                        {
                            defer { ended.increment() }
                            try await sleep(until: .never)
                        }
                    }, limit: limit
                ) { try await $0() }
            }
            await turns(3)
            task.cancel()
            await #expect(throws: CancellationError.self) { _ = try await task.value }
            #expect(ended.value == limit ?? 5)
        }
    }

    // MARK: - gatherResults

    @Test("gatherResults collects values and errors, and cancels nobody")
    func collects() async throws {
        try await onLoop { _ in
            let results = await gatherResults(
                operations(4) { number in
                    {
                        if number == 1 { throw TestError("one") }
                        try await sleep(for: .microseconds(100))
                        return number
                    }
                }
            ) { try await $0() }
            #expect(results.map { try? $0.get() } == [0, nil, 2, 3])
            #expect(throws: TestError("one")) { try results[1].get() }
        }
    }

    @Test("gatherResults of different types")
    func collectsTuple() async throws {
        try await onLoop { _ in
            let (first, second) = await gatherResults(
                { () async throws -> Int in throw TestError("one") },
                {
                    await yield()
                    return "two"
                })
            #expect(throws: TestError("one")) { try first.get() }
            #expect((try? second.get()) == "two")
        }
    }

    @Test("gatherResults of a cancelled caller ends all with a CancellationError", arguments: [nil, 2])
    func collectsCancelled(limit: Int?) async throws {
        try await onLoop { _ in
            let started = Counter()
            let task = spawn {
                let results = await gatherResults(
                    operations(5) { _ in
                        {
                            started.increment()
                            try await sleep(until: .never)
                        }
                    }, limit: limit
                ) { try await $0() }
                return results.filter { result in
                    if case .failure(let error) = result { error is CancellationError } else { false }
                }.count
            }
            await turns(3)
            task.cancel()
            let count = try await task.value
            #expect(count == 5)
            #expect(started.value == limit ?? 5)
        }
    }

    @Test("gatherResults keeps to the limit and goes on after an error")
    func collectsWithLimit() async throws {
        try await onLoop { _ in
            var running = 0
            var most = 0
            let results = await gatherResults(
                operations(20) { number in
                    {
                        running += 1
                        most = max(most, running)
                        defer { running -= 1 }
                        await yield()
                        if number % 3 == 0 { throw TestError("\(number)") }
                        return number
                    }
                }, limit: 4
            ) { try await $0() }
            #expect(most == 4)
            for (number, result) in results.enumerated() {
                #expect((try? result.get()) == (number % 3 == 0 ? nil : number))
            }
        }
    }
}
