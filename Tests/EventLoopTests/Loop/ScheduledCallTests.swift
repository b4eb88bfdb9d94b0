import TestSupport
import Testing

@testable import EventLoop

@Suite("callSoon, callLater and callAt", .timeLimit(.minutes(5)))
struct ScheduledCallTests {
    // MARK: - Order

    @Test("callSoon calls first in, first out")
    func fifo() async throws {
        try await onLoop { loop in
            var order: [Int] = []
            for number in 0..<1000 { loop.callSoon { order.append(number) } }
            #expect(order.isEmpty)
            await turns(1)
            #expect(order == (0..<1000).map { $0 })
        }
    }

    @Test("what a call adds waits for the next turn")
    func nextTurn() async throws {
        try await onLoop { loop in
            var order: [String] = []
            loop.callSoon {
                order.append("first")
                loop.callSoon { order.append("added") }
            }
            loop.callSoon { order.append("second") }
            await turns(1)
            #expect(order == ["first", "second"])
            await turns(1)
            #expect(order == ["first", "second", "added"])
        }
    }

    @Test("calls are made in the order of their deadlines, then of their start")
    func deadlines() async throws {
        try await onLoop { loop in
            let start = loop.now
            var order: [Int] = []
            var expected: [(Int, Int)] = []
            var random = SeededGenerator(seed: 4)
            for number in 0..<500 {
                let delay = Int.random(in: 0..<50, using: &random)
                expected.append((delay, number))
                loop.callAt(start.advanced(by: .microseconds(3000 + delay))) { order.append(number) }
            }
            while order.count < 500 { try await sleep(for: .milliseconds(1)) }
            #expect(order == expected.sorted { $0 < $1 }.map(\.1))
        }
    }

    @Test("a call is never early")
    func neverEarly() async throws {
        try await onLoop { loop in
            var random = SeededGenerator(seed: 5)
            var early = 0
            var calls = 0
            for _ in 0..<200 {
                let delay = Duration.nanoseconds(Int.random(in: 1...5_000_000, using: &random))
                let due = loop.now.advanced(by: delay)
                let call = loop.callLater(delay) {
                    calls += 1
                    if loop.now < due { early += 1 }
                }
                #expect(call.deadline! >= due)
            }
            while calls < 200 { try await sleep(for: .milliseconds(1)) }
            #expect(early == 0)
        }
    }

    @Test("a delay of zero or less, and a deadline in the past, mean soon, but not at once")
    func noDelay() async throws {
        try await onLoop { loop in
            var order: [String] = []
            loop.callLater(.zero) { order.append("zero") }
            loop.callLater(.seconds(-5)) { order.append("negative") }
            loop.callLater(.seconds(Int64.min)) { order.append("most negative") }
            loop.callAt(EventLoop.Instant(nanoseconds: 1)) { order.append("origin") }
            #expect(order.isEmpty)
            await turns(2)
            #expect(order == ["origin", "zero", "negative", "most negative"])
        }
    }

    @Test("an enormous delay never comes, and can be cancelled")
    func enormous() async throws {
        try await onLoop { loop in
            let calls = [
                loop.callLater(.seconds(Int64.max)) {}, loop.callAt(.never) {},
                loop.callLater(.seconds(Int64.max) + .nanoseconds(1)) {},
            ]
            for call in calls { #expect(call.deadline == .never) }
            // The loop still sleeps and wakes for others.
            try await sleep(for: .milliseconds(1))
            #expect(loop.engine.reactor.timerCount == 3)
            for call in calls { call.cancel() }
        }
    }

    // MARK: - Cancelling

    @Test("a call that is cancelled before it is due is not made, and gives its captures back at once")
    func cancel() async throws {
        try await onLoop { loop in
            var made = 0
            weak var captured: Counter?
            let calls: [ScheduledCall]
            do {
                let counter = Counter()
                captured = counter
                calls = [
                    loop.callSoon { made += counter.value + 1 },
                    loop.callLater(.milliseconds(1)) { made += counter.value + 1 },
                ]
            }
            #expect(captured != nil)
            for call in calls {
                #expect(!call.isCancelled)
                call.cancel()
                #expect(call.isCancelled)
            }
            #expect(captured == nil)
            #expect(loop.engine.reactor.timerCount == 0)
            for call in calls { call.cancel() }
            try await sleep(for: .milliseconds(2))
            #expect(made == 0)
        }
    }

    @Test("cancel after the call, and in it, does nothing")
    func cancelLate() async throws {
        try await onLoop { loop in
            var call: ScheduledCall?
            var made = 0
            call = loop.callLater(.zero) {
                made += 1
                call?.cancel()
            }
            await turns(2)
            call?.cancel()
            #expect(made == 1)
            #expect(call?.isCancelled == false)
            call = nil
        }
    }

    @Test("of two calls that are due in the same turn the first can cancel the second")
    func cancelInBatch() async throws {
        try await onLoop { loop in
            let deadline = loop.now.advanced(by: .microseconds(200))
            var calls: [ScheduledCall] = []
            var made: [Int] = []
            for number in 0..<10 {
                calls.append(
                    loop.callAt(deadline) {
                        made.append(number)
                        // The one after this, and the one before, which was made.
                        if number + 1 < calls.count { calls[number + 1].cancel() }
                        if number > 0 { calls[number - 1].cancel() }
                    })
            }
            try await sleep(until: deadline)
            await turns(1)
            #expect(made == [0, 2, 4, 6, 8])
            #expect(calls.map(\.isCancelled) == (0..<10).map { $0 % 2 == 1 })
            calls = []
        }
    }

    @Test("a call that was scheduled and cancelled before the run is not made")
    func cancelBeforeRun() async throws {
        let made = try await onThread {
            let loop = try EventLoop()
            var made: [String] = []
            loop.callSoon { made.append("cancelled") }.cancel()
            loop.callLater(.zero) { made.append("cancelled timer") }.cancel()
            loop.callLater(.milliseconds(1)) {
                made.append("kept")
                loop.stop()
            }
            try loop.run()
            expectNothingLeft(on: loop)
            return made
        }
        #expect(made == ["kept"])
    }

    @Test("100,000 timers that are cancelled give their memory back")
    func massCancellation() async throws {
        try await onLoop { loop in
            var random = SeededGenerator(seed: 6)
            var calls = (0..<100_000).map { _ in
                loop.callLater(.seconds(Int.random(in: 1...100_000, using: &random))) {}
            }
            #expect(loop.engine.reactor.timerCount == 100_000)
            #expect(loop.engine.waiters.count == 100_000)
            calls.shuffle(using: &random)
            for call in calls { call.cancel() }
            #expect(loop.engine.reactor.timerCount == 0)
            #expect(loop.engine.waiters.count == 0)
        }
    }

    /// Cancels the call whose function holds it.
    private final class CancelsItsCall {
        var call: ScheduledCall?
        deinit { call?.cancel() }
    }

    @Test("a call may be cancelled by what it lets go of", arguments: [true, false])
    func cancelledByItsCapture(byLoop: Bool) throws {
        let loop = try EventLoop()
        func schedule() -> ScheduledCall {
            let owner = CancelsItsCall()
            let call = loop.callLater(.seconds(10)) { withExtendedLifetime(owner) {} }
            owner.call = call
            return call
        }
        let call = schedule()
        if byLoop { try loop.close() } else { call.cancel() }
        #expect(call.isCancelled != byLoop)
        #expect(loop.engine.waiters.count == 0)
    }

    // MARK: - Misuse

    @Test("cancel on a wrong thread traps with a sentence")
    func cancelElsewhere() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { loop in
                let call = loop.callLater(.seconds(10)) {}
                try await onThread { call.cancel() }
            }
        }
        #expect(result.sentence.contains("cancel() was called while another thread runs the event loop"))
    }

    @Test("callSoon on a wrong thread traps with a sentence")
    func callSoonElsewhere() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { loop in try await onThread { _ = loop.callSoon {} } }
        }
        #expect(result.sentence.contains("callSoon was called while another thread runs the event loop"))
    }

    @Test("callLater on a wrong thread traps with a sentence")
    func callLaterElsewhere() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { loop in try await onThread { _ = loop.callLater(.zero) {} } }
        }
        #expect(result.sentence.contains("callAt was called while another thread runs the event loop"))
    }
}
