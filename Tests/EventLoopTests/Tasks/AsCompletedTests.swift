import TestSupport
import Testing

@testable import EventLoop

private func job(_ seconds: Int, fails: Bool = false) -> LoopTask<Int> {
    spawn(name: "\(seconds)") {
        try await sleep(for: .seconds(seconds))
        if fails { throw TestError("\(seconds)") }
        return seconds
    }
}

@Suite("asCompleted, of tasks", .timeLimit(.minutes(5)))
struct AsCompletedTests {
    @Test("tasks come in the order in which they end, as soon as they have")
    func order() throws {
        let order = try virtually {
            let start = EventLoop.current.now
            var order: [Int] = []
            for try await task in asCompleted([job(3), job(1), job(2)]) {
                #expect(task.isDone)
                let value = try await task.value
                #expect(start.duration(to: EventLoop.current.now) == .seconds(value))
                order.append(value)
            }
            return order
        }
        #expect(order == [1, 2, 3])
    }

    @Test("those that ended before come first, in the order in which they were given")
    func endedBefore() throws {
        let order = try virtually {
            let tasks = [job(5), job(2), job(1), job(3)]
            try await sleep(for: .milliseconds(2500))
            var order: [Int] = []
            for try await task in asCompleted(tasks) { order.append(try await task.value) }
            return order
        }
        #expect(order == [2, 1, 3, 5])
    }

    @Test("an error comes with its task and does not end the iteration")
    func failure() throws {
        let order = try virtually {
            var order: [String] = []
            for try await task in asCompleted([job(2), job(1, fails: true), job(3)]) {
                switch await task.result {
                case .success(let value): order.append("\(value)")
                case .failure(let error): order.append("\(error)")
                }
            }
            return order
        }
        #expect(order == ["TestError(name: \"1\")", "2", "3"])
    }

    @Test("no tasks: the iteration ends at once")
    func empty() throws {
        try virtually {
            for try await _ in asCompleted([LoopTask<Int>](), timeout: .zero) { Issue.record("no task") }
        }
    }

    @Test("each iteration goes through all tasks; a task that is there twice comes twice")
    func again() throws {
        let orders = try virtually {
            let (first, second) = (job(2), job(1))
            let sequence = asCompleted([first, second, first])
            var orders: [[Int]] = []
            for _ in 0..<2 {
                var order: [Int] = []
                for try await task in sequence { order.append(try await task.value) }
                orders.append(order)
            }
            return orders
        }
        #expect(orders == [[1, 2, 2], [2, 1, 2]])
    }

    // MARK: - Time

    @Test("time that is up is thrown at the await, and the tasks that remain go on")
    func timeout() throws {
        try virtually {
            let tasks = [job(1), job(9), job(3)]
            var iterator = asCompleted(tasks, timeout: .seconds(2)).makeAsyncIterator()
            #expect(try await iterator.next() == tasks[0])
            let time = await elapsed {
                await #expect(throws: TimeoutError()) { try await iterator.next() }
            }
            #expect(time == .seconds(1))
            #expect(!tasks[1].isCancelled && !tasks[2].isCancelled)
            // It stays so, except for what has ended meanwhile.
            await #expect(throws: TimeoutError()) { try await iterator.next() }
            _ = try await tasks[2].value
            await turns(1)
            #expect(try await iterator.next() == tasks[2])
            await #expect(throws: TimeoutError()) { try await iterator.next() }
            _ = try await tasks[1].value
        }
    }

    @Test("a task that ends in the turn in which time is up, or is found to be, has ended")
    func endAndTimeout() throws {
        try virtually {
            let task = job(2)
            await turns()
            var iterator = asCompleted([task], timeout: .seconds(2)).makeAsyncIterator()
            let first = try await iterator.next()
            #expect(first == task)

            let ending = spawn {}
            var late = asCompleted([ending], timeout: .zero).makeAsyncIterator()
            // It takes its first and only step before this task goes on.
            await turns()
            #expect(ending.isDone)
            let next = try await late.next()
            #expect(next == ending)
        }
    }

    @Test("what has ended comes, also when time has been up for long")
    func lateReader() throws {
        try virtually {
            let tasks = [job(1), job(2)]
            var iterator = asCompleted(tasks, timeout: .seconds(3)).makeAsyncIterator()
            try await sleep(for: .seconds(60))
            #expect(try await iterator.next() == tasks[0])
            #expect(try await iterator.next() == tasks[1])
            #expect(try await iterator.next() == nil)
        }
    }

    // MARK: - Leaving

    @Test("leaving the loop leaves the tasks alone, and no callbacks with them")
    func leaving() throws {
        try virtually {
            let engine = EventLoop.current.engine
            let server = spawn { try await sleep(until: .never) }
            await turns(1)
            let waiters = engine.waiters.count
            for _ in 0..<1000 {
                for try await task in asCompleted([server, spawn {}], timeout: .seconds(1)) {
                    #expect(task != server)
                    break
                }
            }
            #expect(engine.waiters.count == waiters)
            #expect(engine.reactor.timerCount == 1)
            #expect(!server.isCancelled)
            server.cancel()
            _ = await server.result
        }
    }

    @Test("an iteration that another thread drops leaves no callbacks either")
    func droppedElsewhere() async throws {
        try await onLoop { loop in
            let server = spawn { try await sleep(until: .never) }
            await turns(1)
            let waiters = loop.engine.waiters.count
            let holder = Holder(asCompleted([server]).makeAsyncIterator())
            #expect(loop.engine.waiters.count == waiters + 1)
            try await onThread { holder.held = nil }
            await turns(2)
            #expect(loop.engine.waiters.count == waiters)
            server.cancel()
            _ = await server.result
        }
    }

    @Test("who is cancelled loses no task: it comes with the next await")
    func cancelled() throws {
        try virtually {
            let seen = Recorder<String>()
            let gate = Promise<Void>()
            let future = gate.future
            let (first, second) = (spawn(name: "1") { try await future.value }, spawn(name: "2") {})
            let waiter = spawn {
                var iterator = asCompleted([first, second]).makeAsyncIterator()
                for _ in 0..<3 {
                    do { seen.add(try await iterator.next()?.name ?? "none") } catch {
                        seen.add("\(error)")
                        // This task stays cancelled, but what has ended is there.
                        gate.succeed()
                        await turns(3)
                    }
                }
            }
            try await second.value
            await turns(2)
            waiter.cancel()
            try await waiter.value
            #expect(seen.all == ["2", "CancellationError()", "1"])
        }
    }

    @Test("thousands that have ended before do not starve others")
    func budget() throws {
        try virtually {
            let tasks = (0..<10_000).map { number in spawn { number } }
            try await wait(for: tasks)
            let turns = Counter()
            let other = spawn {
                while true { await yield(); turns.increment(); try Task.checkCancellation() }
            }
            var sum = 0
            for try await task in asCompleted(tasks) { sum += try await task.value }
            #expect(sum == 9999 * 10_000 / 2)
            #expect(turns.value > 10)
            other.cancel()
            _ = await other.result
        }
    }

    @Test("an iteration outside a loop traps with a sentence")
    func outside() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            for try await _ in asCompleted([LoopTask<Int>]()) {}
        }
        #expect(result.sentence.contains("asCompleted was called outside a running event loop"))
    }
}
