import Glibc
import TestSupport
import Testing

@testable import EventLoop

/// What a virtual clock must not pass by, and where it must not go.
@Suite("virtual clock", .timeLimit(.minutes(1)))
struct VirtualClockTests {
    private func seconds(_ count: Int) -> EventLoop.Instant {
        EventLoop.Instant(nanoseconds: UInt64(count) * 1_000_000_000)
    }

    /// Runs the body on a thread of its own: the runtime's are needed to start others.
    private func run(
        on clock: EventLoop.ClockKind, _ body: @escaping @Sendable (EventLoop) async throws -> Void
    ) async throws -> EventLoop {
        try await onThread {
            let loop = try EventLoop(clock: clock)
            try loop.runBody { try await body(loop) }
            return loop
        }
    }

    // MARK: - Deadlines

    @Test("many deadlines come in their order, each at its time", arguments: [nil, 1, 2] as [UInt64?])
    func manyDeadlines(seed: UInt64?) throws {
        let loop = try EventLoop(clock: .virtual, seed: seed)
        var random = SeededGenerator(seed: 1)
        let deadlines = (0..<2000).map { _ in Int.random(in: 1...1_000_000, using: &random) }
        let seen = Recorder<Int>()
        for deadline in deadlines {
            loop.spawn {
                try await sleep(until: EventLoop.Instant(nanoseconds: UInt64(deadline)))
                #expect(EventLoop.current.now == EventLoop.Instant(nanoseconds: UInt64(deadline)))
                seen.add(deadline)
            }
        }
        try loop.run(for: .seconds(1))
        #expect(seen.all == deadlines.sorted())
        expectNothingLeft(on: loop)
    }

    @Test("a call that schedules itself again comes at each of its times")
    func periodic() throws {
        let loop = try EventLoop(clock: .virtual)
        let times = Recorder<EventLoop.Instant>()
        func again() {
            times.add(loop.now)
            if times.count < 100 { loop.callLater(.seconds(3), again) }
        }
        loop.callLater(.seconds(3), again)
        try loop.run(for: .seconds(300))
        #expect(times.all == (1...100).map { seconds($0 * 3) })
    }

    @Test("never does not come: the loop waits for somebody")
    func never() async throws {
        let loop = try EventLoop(clock: .virtual)
        loop.callAt(.never) { Issue.record("never has come") }
        let sleeper = loop.spawn { try await sleep(until: .never) }
        try loop.run(for: .seconds(1_000_000_000))
        #expect(loop.now == seconds(1_000_000_000))
        let thread = Thread { try loop.run() }
        loop.callSoonThreadSafe { loop.stop() }
        try await thread.value
        #expect(loop.now == seconds(1_000_000_000))
        sleeper.cancel()
        try loop.runUntilAllTasksBlocked()
        #expect(sleeper.isDone)
    }

    @Test("the runtime's sleeps: by both clocks, for a time and until one, and equal ones together")
    func runtimeSleeps() throws {
        let loop = try EventLoop(clock: .virtual)
        let ends = try loop.runBody {
            let loop = EventLoop.current
            return try await gather(
                {
                    try await Task.sleep(for: .seconds(5))
                    return loop.now
                },
                {
                    try await Task.sleep(for: .seconds(5), clock: .suspending)
                    return loop.now
                },
                {
                    try await Task.sleep(until: .now + .seconds(5), clock: .continuous)
                    return loop.now
                },
                {
                    try await Task.sleep(until: .now + .seconds(5), clock: .suspending)
                    return loop.now
                },
                {
                    try await Task.sleep(nanoseconds: 5_000_000_000)
                    return loop.now
                })
        }
        #expect(ends == (seconds(5), seconds(5), seconds(5), seconds(5), seconds(5)))
    }

    @Test("the runtime's sleep ends on the loop, with no other thread in between for which time would not wait")
    func runtimeSleepEndsOnTheLoop() throws {
        let loop = try EventLoop(clock: .virtual)
        try loop.runBody {
            let ticker = spawn {
                while true { try await sleep(for: .milliseconds(1)) }
            }
            for number in 1...100 {
                try await Task.sleep(for: .milliseconds(10))
                let now = EventLoop.current.now
                #expect(now == EventLoop.Instant(nanoseconds: UInt64(number) * 10_000_000))
            }
            ticker.cancel()
            _ = await ticker.result
        }
        expectNothingLeft(on: loop)
    }

    @Test("a sleep of nothing, or less, takes a turn and no time")
    func noDuration() throws {
        let loop = try EventLoop(clock: .virtual)
        try loop.runBody {
            let loop = EventLoop.current
            try await sleep(for: .zero)
            try await sleep(for: .seconds(-5))
            try await sleep(until: EventLoop.Instant(nanoseconds: 0))
            try await loop.advance(by: .seconds(-1))
            try await loop.advance(by: .zero)
            #expect(loop.now == EventLoop.Instant(nanoseconds: 0))
        }
        try loop.run(for: .seconds(-1))
        try loop.run(for: .zero)
        #expect(loop.now == seconds(0))
    }

    @Test("time never goes back: neither for a deadline that has passed, nor for a smaller advance")
    func forward() throws {
        let loop = try EventLoop(clock: .virtual)
        try loop.run(for: .seconds(10))
        let times = Recorder<EventLoop.Instant>()
        loop.callAt(seconds(3)) { times.add(loop.now) }
        loop.callAt(seconds(0)) { times.add(loop.now) }
        loop.callAt(seconds(11)) { times.add(loop.now) }
        try loop.runUntilAllTasksBlocked()
        #expect(times.all == [seconds(10), seconds(10)])
        let elsewhere = loop.now
        #expect(elsewhere == seconds(10))
        try loop.runBody {
            async let long: Void = EventLoop.current.advance(by: .seconds(9))
            async let short: Void = EventLoop.current.advance(by: .seconds(4))
            _ = try await (short, long)
        }
        #expect(times.all == [seconds(10), seconds(10), seconds(11)])
        #expect(loop.now == seconds(19))
    }

    @Test("stop ends the run where time stands, and the next one goes on from there")
    func stop() throws {
        let loop = try EventLoop(clock: .virtual)
        let times = Recorder<EventLoop.Instant>()
        loop.callLater(.seconds(3600)) { loop.stop() }
        loop.callLater(.seconds(7200)) {
            times.add(loop.now)
            loop.stop()
        }
        try loop.run()
        #expect(loop.now == seconds(3600) && times.count == 0)
        try loop.run()
        #expect(times.all == [seconds(7200)])
        loop.callLater(.seconds(1)) { loop.stop() }
        loop.callLater(.seconds(2)) { times.add(loop.now) }
        try loop.run(for: .seconds(5))
        #expect(times.count == 1, "a stop ends run(for:), too")
        try loop.run(for: .seconds(1))
        #expect(times.all.last == seconds(7202))
        expectNothingLeft(on: loop)
    }

    @Test("a run that was stopped leaves a manual clock no permission to go on")
    func stoppedManual() throws {
        let loop = try EventLoop(clock: .manual)
        loop.callLater(.seconds(1)) { loop.stop() }
        loop.callLater(.seconds(2)) { Issue.record("time went on by itself") }
        try loop.run(for: .seconds(5))
        #expect(loop.now == seconds(1))
        try loop.runUntilAllTasksBlocked()
        #expect(loop.now == seconds(1))
    }

    @Test("what is due at the very end of an advance is done within it")
    func end() throws {
        let loop = try EventLoop(clock: .manual)
        let times = Recorder<EventLoop.Instant>()
        func again() {
            times.add(loop.now)
            loop.callLater(.seconds(1), again)
        }
        loop.callLater(.seconds(1), again)
        try loop.run(for: .seconds(3))
        #expect(times.count == 3)
        try loop.runBody { try await EventLoop.current.advance(by: .seconds(3)) }
        #expect(times.all == (1...6).map(seconds))
    }

    // MARK: - What time waits for

    @Test("time stands while a thread works for a task")
    func offloads() async throws {
        let order = Recorder<String>()
        let loop = try await run(on: .virtual) { loop in
            try await gather(
                {
                    try await sleep(for: .seconds(3600))
                    order.add("slept")
                },
                {
                    let promise = Promise<Void>()
                    loop.engine.offloadsUnderWay += 1
                    defer { loop.engine.offloadsUnderWay -= 1 }
                    let thread = Thread {
                        // Long enough for a clock that does not stand to leap.
                        usleep(20_000)
                        loop.callSoonThreadSafe { promise.succeed() }
                    }
                    try await promise.future.value
                    order.add("worked at \(loop.now)")
                    try await thread.value
                })
        }
        #expect(order.all == ["worked at 0.0 s", "slept"])
        #expect(loop.now == seconds(3600))
    }

    @Test("what another thread has left is done before time leaps")
    func posts() throws {
        let loop = try EventLoop(clock: .virtual)
        let order = Recorder<String>()
        loop.callLater(.seconds(1)) { order.add("leapt") }
        // As if from another thread, and while the loop looks for nothing else to do.
        loop.callSoonThreadSafe { order.add("first") }
        loop.callSoonThreadSafe { loop.callSoonThreadSafe { order.add("second") } }
        try loop.run(for: .seconds(1))
        #expect(order.all == ["first", "second", "leapt"])
    }

    @Test("what was written to a socket arrives before time leaps", arguments: [nil, 1, 2, 3] as [UInt64?])
    func sockets(seed: UInt64?) throws {
        let loop = try EventLoop(clock: .virtual, seed: seed)
        try loop.runBody {
            let loop = EventLoop.current
            let (one, other) = try streamPair()
            let started = loop.now
            try await gather(
                {
                    for _ in 0..<100 {
                        #expect(try await other.read(upTo: 10) == [1])
                        try await other.write([2])
                    }
                },
                {
                    for _ in 0..<100 {
                        try await one.write([1])
                        #expect(try await one.read(upTo: 10) == [2])
                    }
                    #expect(loop.now == started, "no sleep was over meanwhile")
                },
                { try await sleep(for: .nanoseconds(1)) },
                { try await sleep(for: .seconds(10)) })
            one.close()
            other.close()
        }
        expectNothingLeft(on: loop)
    }

    @Test("with patience, a server on another thread answers before the deadline")
    func patience() async throws {
        let loop = try await run(on: .virtual(patience: .seconds(60))) { loop in
            let (stream, peer) = try streamAndSocket()
            let server = Thread {
                var byte: UInt8 = 0
                _ = read(peer, &byte, 1)
                // Long enough for an impatient clock to leap.
                usleep(20_000)
                _ = write(peer, &byte, 1)
                close(peer)
            }
            let deadline = loop.callLater(.seconds(1)) { Issue.record("the deadline came first") }
            try await stream.write([7])
            #expect(try await stream.read(upTo: 1) == [7])
            #expect(try await stream.read(upTo: 1) == [])
            #expect(loop.now == EventLoop.Instant(nanoseconds: 0))
            deadline.cancel()
            stream.close()
            try await server.value
        }
        expectNothingLeft(on: loop)
    }

    @Test("when nobody answers, patience ends")
    func noAnswer() throws {
        let loop = try EventLoop(clock: .virtual(patience: .milliseconds(1)))
        try loop.runBody {
            let (stream, peer) = try streamAndSocket()
            let reader = spawn { try await stream.read(upTo: 1) }
            let before = EventLoop.Instant.realNow
            try await sleep(for: .seconds(3600))
            #expect(before.duration(to: .realNow) >= .milliseconds(1))
            #expect(!reader.isDone)
            reader.cancel()
            _ = await reader.result
            stream.close()
            close(peer)
        }
        #expect(loop.now == seconds(3600))
        expectNothingLeft(on: loop)
    }

    @Test("patience is not less than nothing")
    func negativePatience() {
        #expect(EventLoop.ClockKind.virtual(patience: .seconds(-1)) == .virtual)
        #expect(EventLoop.ClockKind.virtual(patience: .seconds(1)) != .virtual)
    }

    // MARK: - All tasks blocked

    @Test("all who wait for the others to be blocked go on before time does")
    func quietBeforeTime() throws {
        let loop = try EventLoop(clock: .virtual)
        let order = Recorder<String>()
        try loop.runBody {
            try await gather(
                {
                    try await sleep(for: .nanoseconds(1))
                    order.add("time")
                },
                {
                    try await waitAllTasksBlocked()
                    order.add("one")
                    try await waitAllTasksBlocked()
                    order.add("one again")
                },
                {
                    try await waitAllTasksBlocked()
                    order.add("two")
                })
        }
        #expect(order.all == ["one", "two", "one again", "time"])
        expectNothingLeft(on: loop)
    }

    @Test("waiting for the others can be cancelled, and leaves nobody behind")
    func quietCancelled() throws {
        try EventLoop(clock: .virtual).runBody {
            let waiter = spawn { try await waitAllTasksBlocked() }
            let busy = spawn {
                for _ in 0..<10 { await yield() }
            }
            await turns(2)
            waiter.cancel()
            await #expect(throws: CancellationError.self) { try await waiter.value }
            #expect(!busy.isDone)
            #expect(EventLoop.current.engine.quietWaiters.isEmpty)
        }
    }
}
