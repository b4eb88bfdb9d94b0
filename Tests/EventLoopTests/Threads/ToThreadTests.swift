import Glibc
import TestSupport
import Testing

@testable import EventLoop

private enum Local {
    @TaskLocal static var value = 0
}

@Suite("toThread", .timeLimit(.minutes(5)))
struct ToThreadTests {
    @Test("the work's value comes back, and it ran outside the loop")
    func value() async throws {
        try await onLoop { loop in
            let (thread, hasLoop) = try await toThread {
                (UInt(pthread_self()), EventLoop.currentIfAny != nil)
            }
            #expect(thread != UInt(pthread_self()))
            #expect(!hasLoop)
            #expect(loop.isOnLoopThread)
        }
    }

    @Test("the work's error comes back")
    func failure() async throws {
        try await onLoop { loop in
            await #expect(throws: TestError("work")) { try await toThread { throw TestError("work") } }
            #expect(loop.isOnLoopThread)
        }
    }

    @Test("the loop turns while the work blocks")
    func loopTurns() async throws {
        try await onLoop { loop in
            let gate = Gate()
            let task = spawn { try await toThread { gate.pass() } }
            loop.callSoon { gate.open() }
            try await task.value
        }
    }

    @Test("the work sees the task-local values of the task that awaits it")
    func taskLocals() async throws {
        try await onLoop { _ in
            try await Local.$value.withValue(7) {
                let seen = try await toThread { Local.value }
                #expect(seen == 7)
                let seenByOther = try await toThread(onCancel: .wait) { Local.value }
                #expect(seenByOther == 7)
            }
            let seenOutside = try await toThread { Local.value }
            #expect(seenOutside == 0)
        }
    }

    @Test("many at once keep to the pool's size, and each gets its own value")
    func many() async throws {
        try await onLoop { _ in
            let pool = ThreadPool(size: 4)
            let values = try await gather(0..<1000) { number in try await toThread(on: pool) { number * 2 } }
            #expect(values == (0..<1000).map { $0 * 2 })
            #expect(pool.threadCount <= 4)
        }
    }

    @Test("one after another they use one thread")
    func reuse() async throws {
        try await onLoop { _ in
            let pool = ThreadPool(size: 4)
            for _ in 0..<100 { try await toThread(on: pool) {} }
            #expect(pool.threadCount == 1)
        }
    }

    @Test("a pool that nobody else holds lives until the work is done")
    func poolOfItsOwn() async throws {
        try await onLoop { _ in
            let value = try await toThread(on: ThreadPool(size: 1)) { 5 }
            #expect(value == 5)
        }
    }

    // MARK: - Limits

    @Test("work keeps its limiter's permit until it is done, also when it was abandoned")
    func limiterOfAbandonedWork() async throws {
        try await onLoop { _ in
            let limiter = CapacityLimiter(1)
            let (first, second) = (Gate(), Gate())
            let abandoned = spawn { try await toThread(limiter: limiter) { first.pass() } }
            await turnsUntil { first.arrivals == 1 }
            abandoned.cancel()
            await #expect(throws: CancellationError.self) { try await abandoned.value }
            #expect(limiter.borrowed == 1)
            let next = spawn { try await toThread(limiter: limiter) { second.pass() } }
            await turnsUntil { limiter.waitingCount == 1 }
            await turns(5)
            #expect(second.arrivals == 0)
            first.open()
            await turnsUntil { second.arrivals == 1 }
            #expect(limiter.borrowed == 1)
            second.open()
            try await next.value
            #expect(limiter.borrowed == 0)
        }
    }

    @Test("a limiter holds work back, and one task may have several works under way")
    func limiter() async throws {
        try await onLoop { _ in
            let limiter = CapacityLimiter(2)
            let pool = ThreadPool(size: 8)
            let running = Counter()
            let most = Recorder<Int>()
            try await gather(0..<100) { _ in
                try await toThread(on: pool, limiter: limiter) {
                    running.increment()
                    most.add(running.value)
                    running.decrement()
                }
            }
            #expect(most.count == 100)
            #expect(most.all.max()! <= 2)
            #expect(limiter.borrowed == 0)
        }
    }

    @Test("work that never begins gives its permit back", arguments: ["taken back", "refused", "cancelled"])
    func limiterOfWorkThatNeverBegins(how: String) async throws {
        try await onLoop { _ in
            let limiter = CapacityLimiter(1)
            let pool = ThreadPool(size: 1)
            let gate = Gate()
            _ = try pool.submit { gate.pass() }
            gate.waitForArrivals(1)
            if how == "refused" { pool.shutdown() }
            let task = spawn { try await toThread(on: pool, limiter: limiter) {} }
            if how == "taken back" { await turnsUntil { pool.queuedCount == 1 } }
            if how != "refused" { task.cancel() }
            let result = await task.result
            #expect(throws: (any Error).self) { try result.get() }
            #expect(limiter.borrowed == 0)
            gate.open()
        }
    }

    // MARK: - Virtual time

    @Test("time that is virtual does not pass while a thread works")
    func virtualTimeWaits() throws {
        let loop = try EventLoop(clock: .virtual)
        let order = try loop.runBody {
            let order = Recorder<String>()
            let sleeper = spawn {
                try await sleep(for: .seconds(3600))
                order.add("an hour passed")
            }
            // By then the loop has nothing to do but wait; it would have passed the hour.
            try await toThread { for _ in 0..<10_000 { sched_yield() } }
            order.add("the work was done")
            #expect(EventLoop.current.now == EventLoop.Instant(nanoseconds: 0))
            try await sleeper.value
            return order.all
        }
        #expect(order == ["the work was done", "an hour passed"])
        expectNothingLeft(on: loop)
    }

    @Test("time that is virtual is told of each task that waits for a thread")
    func offloadsAreCounted() async throws {
        try await onLoop { loop in
            let gate = Gate()
            let pool = ThreadPool(size: 1)
            let tasks = (0..<3).map { _ in spawn { try await toThread(on: pool) { gate.pass() } } }
            await turnsUntil { gate.arrivals == 1 && pool.queuedCount == 2 }
            #expect(loop.engine.offloadsUnderWay == 3)
            tasks[0].cancel()
            tasks[1].cancel()
            for task in tasks[...1] { await #expect(throws: CancellationError.self) { try await task.value } }
            #expect(loop.engine.offloadsUnderWay == 1)
            gate.open()
            try await tasks[2].value
            #expect(loop.engine.offloadsUnderWay == 0)
        }
    }

    // MARK: - Cancellation

    @Test("a cancelled await ends at once, leaves nothing, and the work that goes on hears of it")
    func abandoned() async throws {
        let gate = Gate()
        let heard = Recorder<Bool>()
        try await onLoop { loop in
            let task = spawn {
                try await toThread {
                    heard.add(Task.isCancelled)
                    gate.pass()
                    heard.add(Task.isCancelled)
                }
            }
            await turnsUntil { gate.arrivals == 1 }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(loop.engine.waiters.count == 0)
            #expect(heard.all == [false])
            gate.open()
            // The work holds the loop until it is done.
            await turnsUntil { heard.count == 2 }
        }
        #expect(heard.all == [false, true])
    }

    @Test("work of a cancelled task that no thread has begun is taken back and released at once")
    func takenBack() async throws {
        for rule in [ThreadPool.CancellationRule.abandon, .wait] {
            try await onLoop { loop in
                let gate = Gate()
                let ran = Counter()
                let gone = Counter()
                let pool = ThreadPool(size: 1)
                let first = spawn { try await toThread(on: pool) { gate.pass() } }
                await turnsUntil { gate.arrivals == 1 }
                let task = spawn {
                    let canary = Canary { gone.increment() }
                    do {
                        try await toThread(on: pool, onCancel: rule) {
                            withExtendedLifetime(canary) { ran.increment() }
                        }
                    } catch {
                        // The task goes on as before: on its loop, and able to wait.
                        #expect(loop.isOnLoopThread)
                        await turns(2)
                        #expect(loop.isOnLoopThread)
                        #expect(throws: CancellationError.self) { try Task.checkCancellation() }
                        throw error
                    }
                }
                await turnsUntil { pool.queuedCount == 1 }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(pool.queuedCount == 0)
                #expect(gone.value == 1)
                gate.open()
                try await first.value
                let count = try await toThread(on: pool) { ran.value }
                #expect(count == 0)
            }
        }
    }

    @Test("by the rule wait, a cancelled await lasts until the work is done, and gives its value")
    func waitedOut() async throws {
        try await onLoop { loop in
            let gate = Gate()
            let task = spawn {
                try await toThread(onCancel: .wait) {
                    gate.pass()
                    return Task.isCancelled
                }
            }
            await turnsUntil { gate.arrivals == 1 }
            task.cancel()
            await turns(5)
            #expect(!task.isDone)
            #expect(loop.engine.offloadsUnderWay == 1)
            // What ends the waits at the end of a run does not end this one.
            loop.engine.cancelAllWaits()
            await turns(5)
            #expect(!task.isDone)
            gate.open()
            let heard = try await task.value
            #expect(heard)
        }
    }

    @Test("a task that is cancelled before gets no thread")
    func cancelledBefore() async throws {
        try await onLoop { _ in
            let pool = ThreadPool(size: 1)
            let task = spawn { try await toThread(on: pool) {} }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(pool.threadCount == 0)
        }
    }

    @Test("whenever it is cancelled, each await ends once, and what ran is what was not taken back")
    func cancellationRaces() async throws {
        try await onLoop { _ in
            var generator = SeededGenerator(seed: 1)
            let pool = ThreadPool(size: 3)
            let begun = Counter()
            let released = Counter()
            for _ in 0..<50 {
                let tasks = (0..<20).map { number in
                    spawn {
                        let canary = Canary { released.increment() }
                        return try await toThread(on: pool, onCancel: number % 2 == 0 ? .abandon : .wait) {
                            withExtendedLifetime(canary) { begun.increment() }
                            return number
                        }
                    }
                }
                for _ in 0..<Int.random(in: 0..<4, using: &generator) { await yield() }
                for task in tasks where Bool.random(using: &generator) { task.cancel() }
                for (number, task) in tasks.enumerated() {
                    switch await task.result {
                    case .success(let value): #expect(value == number)
                    case .failure(let error): #expect(error is CancellationError)
                    }
                }
            }
            pool.shutdown()
            try await toThread { pool.join() }
            #expect(begun.value > 0 && begun.value <= 1000)
            await turnsUntil { released.value == 1000 }
        }
    }

    // MARK: - What goes wrong

    @Test("a pool that is shut down refuses it, and the work is released")
    func shutDownPool() async throws {
        try await onLoop { loop in
            let pool = ThreadPool(size: 1)
            pool.shutdown()
            let gone = Counter()
            do {
                let canary = Canary { gone.increment() }
                await #expect(throws: ThreadPoolShutDown.self) {
                    try await toThread(on: pool) { withExtendedLifetime(canary) {} }
                }
            }
            #expect(gone.value == 1)
            #expect(loop.isOnLoopThread && !Task.isCancelled)
            try await sleep(for: .microseconds(1))
        }
    }

    @Test("without a thread it is a SystemError")
    func noThread() async throws {
        try await onLoop { _ in
            let pool = ThreadPool(size: 1, name: "none", idleTimeout: .seconds(1)) { _, _ in EAGAIN }
            await #expect(throws: SystemError(call: "pthread_create", code: EAGAIN)) {
                try await toThread(on: pool) {}
            }
        }
    }

    @Test("outside a loop it traps with a sentence")
    func outside() async throws {
        let result = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await toThread {}
        }
        #expect(result.sentence.contains("toThread was called outside a running event loop"))
    }

    // MARK: - The loop's end

    @Test("work may outlive the loop that it was for")
    func loopGone() async throws {
        try await onThread {
            let gate = Gate()
            weak let engine: Engine?
            do {
                let loop = try EventLoop()
                engine = loop.engine
                let task = try loop.runBody {
                    let task = spawn { try await toThread { gate.pass() } }
                    await turnsUntil { gate.arrivals == 1 }
                    task.cancel()
                    _ = await task.result
                    return task
                }
                #expect(task.isDone)
            }
            gate.open()
            // The result went to a loop that is closed, which did not keep it.
            block { engine == nil }
        }
    }

    @Test("a result that comes while the loop stands still is there in its next run")
    func loopStandsStill() async throws {
        try await onThread {
            let gate = Gate()
            let pool = ThreadPool(size: 1)
            let loop = try EventLoop()
            let task = try loop.runBody {
                let task = spawn {
                    try await toThread(on: pool) {
                        gate.pass()
                        return 3
                    }
                }
                await turnsUntil { gate.arrivals == 1 }
                return task
            }
            gate.open()
            pool.shutdown()
            pool.join()
            #expect(!task.isDone)
            let value = try loop.runBody { try await task.value }
            #expect(value == 3)
            expectNothingLeft(on: loop)
        }
    }
}
