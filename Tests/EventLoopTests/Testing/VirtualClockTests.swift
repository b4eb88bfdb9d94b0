import TestSupport
import Testing

@testable import EventLoop

/// Where a virtual clock goes, and where it must not go.
@Suite("virtual clock", .timeLimit(.minutes(5)))
struct VirtualClockTests {
    private func seconds(_ count: Int) -> EventLoop.Instant {
        EventLoop.Instant(nanoseconds: UInt64(count) * 1_000_000_000)
    }

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

    /// Not the whole time, if the machine stops between the runtime's two looks at its clock.
    private func expect(
        _ now: EventLoop.Instant, isAfter duration: Duration,
        since start: EventLoop.Instant = EventLoop.Instant(nanoseconds: 0),
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let lasted = start.duration(to: now)
        #expect(lasted <= duration && lasted > duration * 0.1, sourceLocation: sourceLocation)
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
        for end in [ends.0, ends.1, ends.2, ends.3, ends.4] { expect(end, isAfter: .seconds(5)) }
    }

    @Test(
        "the runtime's sleep ends on the loop, with no other thread in between for which time would not wait")
    func runtimeSleepEndsOnTheLoop() throws {
        let loop = try EventLoop(clock: .virtual)
        try loop.runBody {
            let ticker = spawn {
                while true { try await sleep(for: .milliseconds(1)) }
            }
            var former = EventLoop.current.now
            for _ in 1...100 {
                try await Task.sleep(for: .milliseconds(10))
                let now = EventLoop.current.now
                expect(now, isAfter: .milliseconds(10), since: former)
                former = now
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

    @Test("an advance that was cancelled leaves a manual clock no permission either")
    func cancelledManual() async throws {
        _ = try await onThread {
            #expect(throws: DeadlockError.self) {
                try TestRun.run(clock: .manual, seed: nil, patience: .zero) {
                    let mover = spawn { try await EventLoop.current.advance(by: .seconds(5)) }
                    await turns(2)
                    mover.cancel()
                    _ = await mover.result
                    try await sleep(for: .seconds(2))
                }
            }
        }
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
        let late = loop.spawn {
            try await sleep(for: .seconds(3))
            await turns(5)
        }
        try loop.run(for: .seconds(3))
        #expect(times.count == 3 && late.isDone)
        try loop.runBody { try await EventLoop.current.advance(by: .seconds(3)) }
        #expect(times.all == (1...6).map(seconds))
        try loop.close()  // What is still to be called holds the loop.
    }
}
