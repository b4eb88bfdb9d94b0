import TestSupport
import Testing

@testable import EventLoop

@Suite("virtual time", .timeLimit(.minutes(5)))
struct VirtualTimeTests {
    @Test("what sleeps for hours ends at once, in the order of the deadlines")
    func leaps() throws {
        let loop = try EventLoop(clock: .virtual)
        let order = try loop.runBody {
            let loop = EventLoop.current
            let started = loop.now
            var ends: [Duration] = []
            try await gather([7200, 3600, 5400]) { (seconds: Int) in
                try await sleep(for: .seconds(seconds))
                ends.append(started.duration(to: loop.now))
            }
            return ends
        }
        #expect(order == [.seconds(3600), .seconds(5400), .seconds(7200)])
        expectNothingLeft(on: loop)
    }

    @Test("the runtime's own sleep leaps, too, and the clock starts at zero")
    func taskSleep() throws {
        let loop = try EventLoop(clock: .virtual)
        let now = try loop.runBody {
            let start = EventLoop.current.now
            try await Task.sleep(for: .seconds(100))
            return (start, EventLoop.current.now)
        }
        #expect(now.0 == EventLoop.Instant(nanoseconds: 0))
        // Less what a machine that is busy elsewhere let pass between the runtime's two looks at its clock.
        let slept = now.0.duration(to: now.1)
        #expect(slept > .seconds(10) && slept <= .seconds(100))
    }

    @Test("a manual clock moves when it is told to, and what is due on the way is done when it is due")
    func manual() throws {
        let loop = try EventLoop(clock: .manual)
        let log = Recorder<String>()
        loop.spawn {
            for number in 1...3 {
                try await sleep(for: .seconds(1))
                log.add("\(number) at \(EventLoop.current.now)")
            }
        }
        try loop.run(for: .milliseconds(2500))
        #expect(log.all == ["1 at 1.0 s", "2 at 2.0 s"])
        #expect(loop.now == EventLoop.Instant(nanoseconds: 2_500_000_000))
        try loop.runUntilAllTasksBlocked()
        #expect(log.count == 2)
        try loop.run(for: .seconds(1))
        #expect(log.all.last == "3 at 3.0 s")
        expectNothingLeft(on: loop)
    }

    @Test("a task moves the clock, and goes on when everything that was due has been done")
    func advance() async throws {
        let loop = try EventLoop(clock: .manual)
        try loop.runBody {
            let steps = Counter()
            let worker = spawn {
                while true {
                    try await sleep(for: .seconds(1))
                    await yield()
                    steps.increment()
                }
            }
            try await EventLoop.current.advance(by: .seconds(10))
            #expect(steps.value == 10)
            try await waitAllTasksBlocked()
            #expect(steps.value == 10)
            worker.cancel()
            _ = await worker.result
        }
    }

    @Test("a cancelled advance leaves a manual clock where it is")
    func cancelledAdvance() throws {
        let loop = try EventLoop(clock: .manual)
        try loop.runBody {
            let mover = spawn {
                try await EventLoop.current.advance(by: .seconds(5))
            }
            mover.cancel()
            await #expect(throws: CancellationError.self) { try await mover.value }
            let sleeper = spawn { try await sleep(for: .seconds(2)) }
            try await waitAllTasksBlocked()
            #expect(EventLoop.current.now == EventLoop.Instant(nanoseconds: 0))
            sleeper.cancel()
            _ = await sleeper.result
        }
    }

    @Test("waitAllTasksBlocked comes after every other step, in real time too")
    func quiet() async throws {
        try await onLoop { _ in
            let steps = Counter()
            let busy = spawn {
                for _ in 0..<50 {
                    await yield()
                    steps.increment()
                }
            }
            try await waitAllTasksBlocked()
            #expect(steps.value == 50)
            try await busy.value
        }
    }

    @Test("another thread reads a virtual clock, and leaves work for it")
    func otherThreads() async throws {
        let loop = try EventLoop(clock: .virtual)
        let promise = Promise<EventLoop.Instant>(on: loop)
        let answer = promise.future
        let now = try await onThread {
            try loop.runBody {
                try await sleep(for: .seconds(5))
                let thread = Thread {
                    let now = loop.now
                    loop.callSoonThreadSafe { promise.succeed(now) }
                }
                let now = try await answer.value
                try await thread.value
                return now
            }
        }
        #expect(now == EventLoop.Instant(nanoseconds: 5_000_000_000))
    }
}
