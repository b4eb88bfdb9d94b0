import TestSupport
import Testing

@testable import EventLoop

@Suite("close", .timeLimit(.minutes(5)))
struct CloseTests {
    @Test("it cancels every task that is left, and awaits them all")
    func cancels() throws {
        let loop = try EventLoop(clock: .virtual)
        let log = Recorder<String>()
        loop.spawn {
            do { try await sleep(until: .never) } catch { log.add("spawned: \(error)") }
            await yield()
            log.add("cleaned up")
        }
        Task(executorPreference: loop.executor) {
            do { try await sleep(until: .never) } catch { log.add("plain: \(error)") }
        }
        try loop.runUntilAllTasksBlocked()
        #expect(log.count == 0)
        try loop.close()
        #expect(
            Set(log.all) == ["spawned: CancellationError()", "plain: CancellationError()", "cleaned up"])
        expectNothingLeft(on: loop)
    }

    @Test("a task that has not begun begins cancelled, and one that is spawned meanwhile, too")
    func begins() throws {
        let loop = try EventLoop(clock: .virtual)
        let log = Recorder<Bool>()
        loop.spawn {
            log.add(Task.isCancelled)
            loop.spawn(eager: true) { log.add(Task.isCancelled) }
        }
        try loop.close()
        #expect(log.all == [true, true])
        expectNothingLeft(on: loop)
    }

    @Test("a closed loop refuses to run, and closing it again does nothing")
    func again() throws {
        let loop = try EventLoop()
        try loop.close()
        try loop.close()
        #expect(throws: EventLoopError.closed) { try loop.run() }
        #expect(throws: EventLoopError.closed) { try loop.runBody {} }
    }

    @Test("a loop cannot be closed while it runs on this thread")
    func inside() throws {
        let loop = try EventLoop()
        try loop.runBody {
            #expect(throws: EventLoopError.alreadyRunning) { try loop.close() }
        }
    }

    @Test("a callback that is added to what will not happen any more is let go, and the loop with it")
    func lateCallback() throws {
        weak var engine: Engine?
        do {
            let loop = try EventLoop()
            engine = loop.engine
            let (promise, other) = (Promise<Int>(on: loop), Promise<Int>(on: loop))
            try loop.close()
            promise.future.addDoneCallback { _ in Issue.record("called by a loop that is closed") }
            promise.succeed(1)
            _ = other.future.map { $0 + 1 }
            expectNothingLeft(on: loop)
        }
        #expect(engine == nil)
    }

    @Test("it ends a task's wait for the end of another that takes its time")
    func waitsForWaiters() throws {
        let loop = try EventLoop(clock: .virtual)
        let log = Recorder<String>()
        let slow = loop.spawn {
            do {
                try await sleep(until: .never)
            } catch {
                for _ in 0..<5 { await yield() }
                log.add("slow")
            }
        }
        loop.spawn {
            _ = try? await slow.value
            log.add("waiter")
        }
        try loop.runUntilAllTasksBlocked()
        try loop.close()
        #expect(log.all == ["slow", "waiter"])
    }

    @Test("a plain task that is ready when it begins is told at its next wait, and at all that follow")
    func plainAndReady() throws {
        let loop = try EventLoop(clock: .virtual)
        let log = Recorder<String>()
        try loop.runBody {
            let promise = Promise<Void>()
            Task(executorPreference: loop.executor) {
                try await promise.future.value
                for wait in 1...2 {
                    do { try await sleep(until: .never) } catch { log.add("wait \(wait): \(error)") }
                }
            }
            await turns(2)
            promise.succeed()
        }
        #expect(log.count == 0)
        try loop.close()
        #expect(log.all == ["wait 1: CancellationError()", "wait 2: CancellationError()"])
        expectNothingLeft(on: loop)
    }

    @Test("a call that schedules itself again and again does not keep it")
    func endlessCalls() throws {
        let loop = try EventLoop()
        let gone = Counter()
        do {
            let canary = Canary { gone.increment() }
            @Sendable func again() {
                withExtendedLifetime(canary) { _ = loop.callSoon { again() } }
            }
            again()
        }
        try loop.close()
        #expect(gone.value == 1, "what such a call holds is released")
    }

    // Nobody can end them: what they hold is lost.
    @Test(
        "plain tasks that never wait, or wait again whatever happens, do not keep it",
        .enabled(if: !leaksAreErrors))
    func endlessTasks() throws {
        let loop = try EventLoop()
        let log = Recorder<String>()
        Task(executorPreference: loop.executor) { while true { await yield() } }
        Task(executorPreference: loop.executor) { while true { try? await sleep(until: .never) } }
        loop.spawn {
            do { try await sleep(until: .never) } catch {
                for _ in 0..<5000 { await yield() }
                log.add("a task of the loop's own has all the time it needs")
            }
        }
        try loop.close()
        #expect(log.count == 1)
    }

    @Test("while another thread runs the loop it traps with a sentence")
    func elsewhere() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await onLoop { loop in try await onThread { try loop.close() } }
        }
        #expect(result?.sentence.contains("Another thread runs this event loop already") == true)
    }
}
