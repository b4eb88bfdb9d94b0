import Glibc
import TestSupport
import Testing

@testable import EventLoop

@Suite("LoopThread", .timeLimit(.minutes(5)))
struct LoopThreadTests {
    // MARK: - Running

    @Test("its loop runs, on a thread of the given name")
    func runs() async throws {
        let thread = try LoopThread(name: "a loop")
        let (name, isOnLoop, isCurrent) = try await thread.run {
            (threadName(), thread.loop.isOnLoopThread, EventLoop.current === thread.loop)
        }
        #expect(name == "a loop")
        #expect(isOnLoop && isCurrent)
        #expect(!thread.loop.isOnLoopThread)
        #expect(thread.loop.engine.isRunning)
        await thread.end()
    }

    @Test("an operation's error comes back")
    func failure() async throws {
        let thread = try LoopThread()
        await #expect(throws: TestError("there")) {
            try await thread.run {
                try await sleep(for: .milliseconds(1))
                throw TestError("there")
            }
        }
        await thread.end()
    }

    @Test("operations run from another loop, which goes on meanwhile, and from the thread itself")
    func fromLoops() async throws {
        try await onLoop { loop in
            let thread = try LoopThread()
            let promise = Promise<Int>()
            let task = spawn {
                try await thread.run {
                    try await loop.spawnThreadSafe { try await promise.future.value }.value + 1
                }
            }
            await turns(5)
            promise.succeed(1)
            let value = try await task.value
            #expect(value == 2)
            #expect(loop.isOnLoopThread)
            let inner = try await thread.run { try await thread.run { thread.loop.isOnLoopThread } }
            #expect(inner)
            await thread.end()
        }
    }

    @Test("many operations of many tasks run at once")
    func manyOperations() async throws {
        try await onLoop { _ in
            let threads = try (0..<3).map { _ in try LoopThread() }
            let values = try await gather(0..<300) { number in
                try await threads[number % 3].run {
                    await turns(number % 5)
                    return number
                }
            }
            #expect(values == (0..<300).map { $0 })
            for thread in threads { await thread.end() }
        }
    }

    @Test("a task that is cancelled cancels its operation, and waits for its end")
    func cancelled() async throws {
        try await onLoop { _ in
            let thread = try LoopThread()
            let log = Recorder<String>()
            let task = spawn {
                try await thread.run {
                    log.add("begun")
                    do { try await sleep(until: .never) } catch {
                        await turns(3)
                        log.add("cleaned up")
                        throw error
                    }
                }
            }
            await turnsUntil { log.count == 1 }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(log.all == ["begun", "cleaned up"])
            await thread.end()
        }
    }

    @Test("its thread blocks the signals that are sent")
    func signalsBlocked() async throws {
        let thread = try LoopThread()
        let isBlocked = try await thread.run {
            var mask = sigset_t()
            pthread_sigmask(SIG_BLOCK, nil, &mask)
            return sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGSEGV) == 0
        }
        #expect(isBlocked)
        await thread.end()
    }

    // MARK: - Its end

    @Test(
        "at its end what was spawned is cancelled and awaited, and lost errors are reported",
        arguments: ["stop", "end", "the loop's stop", "the last reference"])
    func end(how: String) async throws {
        let log = Recorder<String>()
        weak let engine: Engine?
        do {
            let ended: SharedResult<Void>
            do {
                let thread = try LoopThread()
                engine = thread.loop.engine
                ended = thread.ended
                thread.loop.setErrorHandler { log.add("reported \($0.error)") }
                try await thread.run {
                    spawn {
                        do { try await sleep(until: .never) } catch {
                            await turns(3)
                            log.add("cleaned up")
                            throw TestError("lost")
                        }
                    }
                    await turns(2)
                }
                switch how {
                case "stop":
                    thread.stop()
                    try await onThread { thread.join() }
                    #expect(thread.hasEnded)
                case "end": await thread.end()
                case "the loop's stop": thread.loop.stop()
                default: break
                }
            }
            _ = await ended.value(from: nil, for: .thread)
        }
        #expect(log.all == ["cleaned up", "reported TestError(name: \"lost\")"])
        #expect(engine == nil)
    }

    @Test("no thread is left behind when the last reference goes")
    func noThreadLeft() async throws {
        try await onThread {
            for _ in 0..<20 { _ = try LoopThread(name: "left behind") }
            block { threadCount(named: "left behind") == 0 }
        }
    }

    @Test("a thread that has ended takes no more, and whoever asks it is told")
    func afterItsEnd() async throws {
        let thread = try LoopThread()
        await thread.end()
        await #expect(throws: EventLoopError.closed) { try await thread.run {} }
        #expect(throws: EventLoopError.closed) { try thread.loop.spawnThreadSafe {}.wait() }
        await thread.end()
        thread.stop()
        thread.join()
    }

    @Test("whoever asks while it ends is told, or served")
    func endRaces() async throws {
        try await onLoop { _ in
            for round in 0..<30 {
                let thread = try LoopThread()
                let tasks = (0..<20).map { number in
                    spawn {
                        try await thread.run {
                            await turns(2)
                            try Task.checkCancellation()
                            return number
                        }
                    }
                }
                await turns(round % 4)
                thread.stop()
                for (number, task) in tasks.enumerated() {
                    switch await task.result {
                    case .success(let value): #expect(value == number)
                    case .failure(let error):
                        #expect(error is CancellationError || error as? EventLoopError == .closed)
                    }
                }
                await thread.end()
            }
        }
    }

    @Test("a cancelled task can wait for its end")
    func endInACancelledTask() async throws {
        try await onLoop { _ in
            let thread = try LoopThread()
            let task = spawn {
                do { try await sleep(until: .never) } catch {
                    await thread.end()
                    return thread.hasEnded
                }
                return false
            }
            await turns(2)
            task.cancel()
            let hasEnded = try await task.value
            #expect(hasEnded)
        }
    }

    // MARK: - Misuse

    @Test("join on the thread itself traps with a sentence")
    func joinItself() async throws {
        let result = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let thread = try LoopThread()
            try await thread.run { thread.join() }
        }
        #expect(result.sentence.contains("join() was called on the LoopThread itself"))
    }

    @Test("end on the thread itself traps with a sentence")
    func endItself() async throws {
        let result = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let thread = try LoopThread()
            try await thread.run { await thread.end() }
        }
        #expect(result.sentence.contains("end() was called on the LoopThread itself"))
    }
}
