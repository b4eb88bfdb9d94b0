import Glibc
import TestSupport
import Testing

@testable import EventLoop

@Suite("spawnThreadSafe and ThreadSafeTask", .timeLimit(.minutes(5)))
struct ThreadSafeTaskTests {
    // MARK: - Waiting from a thread

    @Test("a thread waits for what the task returns, which ran on the loop")
    func wait() async throws {
        try await onLoop { loop in
            let (wasOnLoop, value) = try await onThread {
                try loop.spawnThreadSafe {
                    await turns(3)
                    return (loop.isOnLoopThread, 5)
                }.wait()
            }
            #expect(wasOnLoop)
            #expect(value == 5)
        }
    }

    @Test("a thread gets the error that the task threw, as often as it asks")
    func failure() async throws {
        try await onLoop { loop in
            try await onThread {
                let task = loop.spawnThreadSafe { throw TestError("task") }
                #expect(throws: TestError("task")) { try task.wait() }
                #expect(throws: TestError("task")) { try task.wait(atMost: .zero) }
                #expect(task.isDone)
            }
        }
    }

    @Test("from many threads, each gets the answer to its own question, and starts keep a thread's order")
    func manyThreads() async throws {
        try await onLoop { loop in
            let started = (0..<8).map { _ in Recorder<Int>() }
            let threads = (0..<8).map { thread in
                Thread {
                    for number in 0..<200 {
                        let task = loop.spawnThreadSafe {
                            started[thread].add(number)
                            await yield()
                            return thread * 1000 + number
                        }
                        // Some threads wait for each, others only for the last.
                        if thread % 2 == 0 || number == 199 {
                            let value = try task.wait()
                            #expect(value == thread * 1000 + number)
                        }
                    }
                }
            }
            for thread in threads { try await thread.value }
            for numbers in started { #expect(numbers.all == (0..<200).map { $0 }) }
        }
    }

    @Test("several threads wait for one task")
    func manyWaiters() async throws {
        try await onLoop { loop in
            let promise = Promise<Int>()
            let task = loop.spawnThreadSafe { try await promise.future.value }
            let threads = (0..<4).map { _ in Thread { try task.wait() } }
            await turns(3)
            promise.succeed(7)
            for thread in threads {
                let value = try await thread.value
                #expect(value == 7)
            }
        }
    }

    @Test("a wait that takes too long throws, and the task goes on")
    func timeout() async throws {
        try await onLoop { loop in
            let promise = Promise<Int>()
            let task = loop.spawnThreadSafe { try await promise.future.value }
            for timeout in [Duration.zero, .milliseconds(1), .seconds(-1)] {
                await #expect(throws: TimeoutError.self) {
                    try await onThread { try task.wait(atMost: timeout) }
                }
            }
            #expect(!task.isDone)
            promise.succeed(3)
            let value = try await onThread { try task.wait(atMost: .seconds(1e9)) }
            #expect(value == 3)
            let again = try await onThread { try task.wait(atMost: .zero) }
            #expect(again == 3)
        }
    }

    @Test("wait on the task's own loop traps with a sentence")
    func waitOnItsLoop() async throws {
        let result = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await onLoop { loop in try loop.spawnThreadSafe {}.wait() }
        }
        #expect(result.sentence.contains("wait() was called on the thread of the task's own loop"))
    }

    @Test("a task that has ended has nothing to wait for, on its own loop either")
    func waitWhenDone() async throws {
        try await onLoop { loop in
            let task = loop.spawnThreadSafe { 4 }
            await turnsUntil { task.isDone }
            let value = try task.wait()
            #expect(value == 4)
        }
    }

    @Test("a thread of a pool waits for what the loop does for it")
    func fromOffloadedWork() async throws {
        try await onLoop { loop in
            let value = try await toThread {
                try loop.spawnThreadSafe { try await toThread { 1 } + 1 }.wait() + 1
            }
            #expect(value == 3)
        }
    }

    // MARK: - Awaiting it

    @Test("its value can be awaited without a loop, on another loop, and on its own")
    func value() async throws {
        try await onLoop { loop in
            let elsewhere = try await Task.detached {
                #expect(EventLoop.currentIfAny == nil)
                return try await loop.spawnThreadSafe { loop.isOnLoopThread }.value
            }.value
            #expect(elsewhere)
            let onOther = try await onThread {
                try EventLoop().runBody {
                    let other = EventLoop.current
                    let task = loop.spawnThreadSafe {
                        try await sleep(for: .milliseconds(1))
                        return loop.isOnLoopThread
                    }
                    async let value = task.value
                    let wasOnLoop = try await value
                    #expect(other.isOnLoopThread && other.engine.offloadsUnderWay == 0)
                    return wasOnLoop
                }
            }
            #expect(onOther)
            let onItsOwn = try await loop.spawnThreadSafe { loop.isOnLoopThread }.value
            #expect(onItsOwn)
        }
    }

    @Test("time that is virtual stands still for a task of another loop, and goes on for one of its own")
    func offloadsAreCounted() async throws {
        let (one, other) = (try EventLoop(), try EventLoop())
        try await onThread {
            // Nobody runs the other loop yet.
            let task = other.spawnThreadSafe { 1 }
            try one.runBody {
                let awaiting = spawn { try await task.value }
                let awaitingOwn = spawn {
                    try await one.spawnThreadSafe { try await sleep(until: .never) }.value
                }
                await turns(3)
                #expect(one.engine.offloadsUnderWay == 1)
                awaitingOwn.cancel()
                _ = await awaitingOwn.result
                let thread = Thread { try other.runBody { _ = try await task.value } }
                let value = try await awaiting.value
                #expect(value == 1)
                #expect(one.engine.offloadsUnderWay == 0)
                try await thread.value
            }
            expectNothingLeft(on: one)
            expectNothingLeft(on: other)
        }
    }

    @Test("an awaiting task that is cancelled cancels the task, and waits for its end")
    func cancelledAwaiter() async throws {
        try await onLoop { loop in
            let log = Recorder<String>()
            let awaiter = Task.detached {
                defer { log.add("awaiter") }
                try await loop.spawnThreadSafe {
                    log.add("begun")
                    do { try await sleep(until: .never) } catch {
                        await turns(3)
                        log.add("cleaned up")
                        throw error
                    }
                }.value
            }
            await turnsUntil { log.count == 1 }
            awaiter.cancel()
            await #expect(throws: CancellationError.self) { try await awaiter.value }
            #expect(log.all == ["begun", "cleaned up", "awaiter"])
        }
    }

    // MARK: - Cancellation

    @Test("any thread cancels it")
    func cancel() async throws {
        try await onLoop { loop in
            try await onThread {
                let begun = Pause()
                let task = loop.spawnThreadSafe {
                    begun.end()
                    try await sleep(until: .never)
                }
                begun.wait()
                #expect(!task.isCancelled && !task.isDone)
                task.cancel()
                #expect(throws: CancellationError.self) { try task.wait() }
                #expect(task.isCancelled && task.isDone)
                task.cancel()
            }
        }
    }

    @Test("cancelled before its loop has taken it up, it ends at once, never runs, and is released")
    func cancelledBeforeItsStart() async throws {
        try await onLoop { loop in
            let ran = Counter()
            let gone = Counter()
            let task: ThreadSafeTask<Void>
            do {
                let canary = Canary { gone.increment() }
                task = loop.spawnThreadSafe { withExtendedLifetime(canary) { ran.increment() } }
            }
            task.cancel()
            #expect(gone.value == 1)
            #expect(throws: CancellationError.self) { try task.wait() }
            await turns(3)
            #expect(ran.value == 0)
        }
    }

    @Test("whenever it is cancelled, whoever waits gets an end")
    func cancellationRaces() async throws {
        try await onLoop { loop in
            try await onThread {
                var generator = SeededGenerator(seed: 2)
                for _ in 0..<500 {
                    let task = loop.spawnThreadSafe { await yield() }
                    for _ in 0..<Int.random(in: 0..<3, using: &generator) { sched_yield() }
                    task.cancel()
                    do { try task.wait() } catch { #expect(error is CancellationError) }
                }
            }
        }
    }

    // MARK: - The loop's end

    @Test("when its loop is destroyed before it ran, the waiter gets an error")
    func loopDestroyedBefore() async throws {
        for isDroppedFirst in [true, false] {
            var loop: EventLoop? = try EventLoop()
            weak let engine = loop!.engine
            let gone = Counter()
            let task: ThreadSafeTask<Void>
            do {
                let canary = Canary { gone.increment() }
                task = loop!.spawnThreadSafe { withExtendedLifetime(canary) {} }
            }
            if isDroppedFirst { loop = nil }
            let waiter = Thread { try task.wait() }
            loop = nil
            await #expect(throws: EventLoopError.closed) { try await waiter.value }
            await #expect(throws: EventLoopError.closed) { try await task.value }
            #expect(gone.value == 1)
            #expect(engine == nil, "the handle does not keep the loop")
        }
    }

    @Test("a loop that is closed takes no more, and says so at once")
    func closedLoop() async throws {
        let loop = try EventLoop()
        loop.engine.close()
        let task = loop.spawnThreadSafe {}
        #expect(task.isDone)
        #expect(throws: EventLoopError.closed) { try task.wait() }
    }

    // Such a task and its loop hold each other: nobody is there any more to end it.
    @Test(
        "when its loop is destroyed while it is under way, the waiter gets an error",
        .enabled(if: !leaksAreErrors))
    func loopDestroyedMeanwhile() async throws {
        let task = try await onThread {
            let loop = try EventLoop()
            return try loop.runBody {
                let task = loop.spawnThreadSafe { try await sleep(until: .never) }
                await turns(3)
                return task
            }
        }
        try await onThread {
            #expect(throws: EventLoopError.closed) { try task.wait() }
            task.cancel()
        }
    }

    @Test("a loop that stands still goes on with it in its next run")
    func loopStandsStill() async throws {
        try await onThread {
            let loop = try EventLoop()
            let task = loop.spawnThreadSafe {
                await turns(3)
                return 2
            }
            try loop.runBody {}
            #expect(!task.isDone)
            try loop.runBody { await turnsUntil { task.isDone } }
            let value = try task.wait()
            #expect(value == 2)
            expectNothingLeft(on: loop)
        }
    }

    // MARK: - Errors that nobody looks at

    @Test("an error that nobody looked at is reported once, when the handle goes, with name and place")
    func reported() async throws {
        try await onLoop { loop in
            let reports = Recorder<UnhandledError>()
            loop.setErrorHandler { reports.add($0) }
            let line = UInt(#line) + 1
            var task: ThreadSafeTask<Void>? = loop.spawnThreadSafe(name: "lost") { throw TestError("lost") }
            #expect("\(task!)" == "task lost spawned at EventLoopTests/ThreadSafeTaskTests.swift:\(line)")
            await turnsUntil { task!.isDone }
            await turns(2)
            #expect(reports.count == 0)
            task = nil
            let report = try #require(reports.all.first)
            #expect(reports.count == 1)
            #expect(report.error as? TestError == TestError("lost"))
            #expect(report.taskName == "lost")
            #expect(report.fileID == "EventLoopTests/ThreadSafeTaskTests.swift")
            #expect(report.line == line)
        }
    }

    @Test("the handle of a task that failed does not keep its loop, and still tells the loop's handler")
    func handleDoesNotKeepTheLoop() async throws {
        try await onThread {
            let reports = Recorder<UnhandledError>()
            let task: Holder<ThreadSafeTask<Void>>
            weak let engine: Engine?
            do {
                let loop = try EventLoop()
                engine = loop.engine
                loop.setErrorHandler { reports.add($0) }
                task = Holder(loop.spawnThreadSafe { throw TestError("lost") })
                try loop.runBody { await turnsUntil { task.held!.isDone } }
            }
            #expect(engine == nil)
            #expect(reports.count == 0)
            task.held = nil
            #expect(reports.count == 1)
        }
    }

    @Test("without a handle the error is reported when the task ends")
    func reportedWithoutHandle() async throws {
        try await onLoop { loop in
            let reports = Recorder<UnhandledError>()
            loop.setErrorHandler { reports.add($0) }
            for _ in 0..<3 { loop.spawnThreadSafe { throw TestError("lost") } }
            await turnsUntil { reports.count == 3 }
        }
    }

    @Test("an error that somebody looked at is not reported, nor a cancellation, nor a success")
    func retrieved() async throws {
        try await onLoop { loop in
            let reports = Recorder<UnhandledError>()
            loop.setErrorHandler { reports.add($0) }
            try await onThread {
                _ = try? loop.spawnThreadSafe { throw TestError("seen") }.wait()
                try loop.spawnThreadSafe {}.wait()
            }
            try? await loop.spawnThreadSafe { throw TestError("seen") }.value
            let cancelled = loop.spawnThreadSafe { try await sleep(until: .never) }
            await turns(3)
            cancelled.cancel()
            await turnsUntil { cancelled.isDone }
            await turns(3)
            #expect(reports.count == 0)
        }
    }

    @Test("a wait that timed out has not looked at the error")
    func timeoutIsNoLook() async throws {
        try await onLoop { loop in
            let reports = Recorder<UnhandledError>()
            loop.setErrorHandler { reports.add($0) }
            let promise = Promise<Void>()
            try await onThread {
                let task = loop.spawnThreadSafe { try await promise.future.value }
                #expect(throws: TimeoutError.self) { try task.wait(atMost: .zero) }
            }
            promise.fail(TestError("late"))
            await turnsUntil { reports.count == 1 }
        }
    }
}
