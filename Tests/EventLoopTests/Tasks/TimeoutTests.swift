import TestSupport
import Testing

@testable import EventLoop

@Suite("withTimeout", .timeLimit(.minutes(5)))
struct TimeoutTests {
    @Test("work that is done in time returns its value, and its timer is gone")
    func inTime() throws {
        let value = try virtually {
            let value = try await withTimeout(.seconds(2)) {
                try await sleep(for: .seconds(1))
                return "done"
            }
            #expect(EventLoop.current.engine.reactor.timerCount == 0)
            return value
        }
        #expect(value == "done")
    }

    @Test("work that does not suspend costs no turn, and its closure may use what is not Sendable")
    func atOnce() throws {
        try virtually {
            var steps: [Int] = []
            let other = spawn {}
            let readyBefore = EventLoop.current.engine.ready.count
            let value = try await withTimeout(.seconds(1)) {
                steps.append(1)
                return steps.count
            }
            #expect(value == 1 && steps == [1])
            #expect(EventLoop.current.engine.ready.count == readyBefore)
            try await other.value
        }
    }

    @Test("time that is up cancels the work, waits for it, and throws TimeoutError, at the deadline")
    func expires() throws {
        try virtually {
            let log = Recorder<String>()
            let time = await elapsed {
                await #expect(throws: TimeoutError()) {
                    try await withTimeout(.seconds(1)) {
                        do {
                            try await sleep(for: .seconds(10))
                        } catch {
                            log.add("\(error)")
                            // A clean-up that takes a moment is waited for.
                            await yield()
                            await yield()
                            log.add("cleaned up")
                            throw error
                        }
                    }
                }
            }
            #expect(time == .seconds(1))
            #expect(log.all == ["CancellationError()", "cleaned up"])
        }
    }

    @Test("a deadline is a point in time on the loop's clock")
    func deadline() throws {
        try virtually {
            let deadline = EventLoop.current.now.advanced(by: .seconds(3))
            let time = await elapsed {
                await #expect(throws: TimeoutError()) {
                    try await withDeadline(deadline) { try await sleep(until: .never) }
                }
            }
            #expect(time == .seconds(3))
        }
    }

    @Test("at zero or less the work gets as far as its first await", arguments: [0, -1, -1_000_000])
    func zero(seconds: Int) throws {
        try virtually {
            let log = Recorder<String>()
            await #expect(throws: TimeoutError()) {
                try await withTimeout(.seconds(seconds)) {
                    log.add("began")
                    try await sleep(for: .seconds(1))
                    log.add("went on")
                }
            }
            #expect(log.all == ["began"])
            let outcome = try await withTimeout(.seconds(seconds)) { 7 }
            #expect(outcome == 7)
            #expect(EventLoop.current.now == EventLoop.Instant(nanoseconds: 0))
        }
    }

    @Test("without a limit, or with an enormous one, there is no timer")
    func unlimited() throws {
        try virtually {
            for duration in [nil, Duration.seconds(Int64.max)] {
                let value = try await withTimeout(duration) {
                    #expect(EventLoop.current.engine.reactor.timerCount == 0)
                    return 1
                }
                #expect(value == 1)
            }
        }
    }

    @Test("the work's own error is thrown as it is, even a CancellationError before time is up")
    func ownErrors() throws {
        try virtually {
            await #expect(throws: TestError("own")) {
                try await withTimeout(.seconds(1)) { throw TestError("own") }
            }
            await #expect(throws: CancellationError.self) {
                try await withTimeout(.seconds(1)) { throw CancellationError() }
            }
            await #expect(throws: TestError("after")) {
                try await withTimeout(.seconds(1)) {
                    do { try await sleep(for: .seconds(5)) } catch { throw TestError("after") }
                }
            }
        }
    }

    @Test("work that catches its cancellation and returns has its value returned")
    func valueInSpiteOfIt() throws {
        try virtually {
            let value = try await withTimeout(.seconds(1)) {
                do { try await sleep(for: .seconds(5)) } catch {}
                return Task.isCancelled
            }
            #expect(value)
        }
    }

    @Test("a cancellation from outside is never swallowed, not even when time is up at the same moment")
    func outsideCancellation() throws {
        try virtually {
            let early = spawn {
                try await withTimeout(.seconds(5)) { try await sleep(until: .never) }
            }
            try await sleep(for: .seconds(1))
            early.cancel()
            await #expect(throws: CancellationError.self) { try await early.value }

            let both = spawn {
                try await withTimeout(.seconds(1)) { try await sleep(until: .never) }
            }
            EventLoop.current.callLater(.seconds(1)) { both.cancel() }
            await #expect(throws: CancellationError.self) { try await both.value }
            #expect(EventLoop.current.now == EventLoop.Instant(nanoseconds: 2_000_000_000))
        }
    }

    @Test("after its timeout a task is as it was: not cancelled, and its awaits wait")
    func callerIsNotCancelled() throws {
        try virtually {
            let task = spawn {
                try? await withTimeout(.seconds(1)) { try await sleep(until: .never) }
                #expect(!Task.isCancelled)
                return try await elapsed { try await sleep(for: .seconds(1)) }
            }
            let outcome2 = try await task.value
            #expect(outcome2 == .seconds(1))
            #expect(!task.isCancelled)
        }
    }

    @Test("of nested timeouts each is told by its own error")
    func nesting() throws {
        try virtually {
            let inner = try await withTimeout(.seconds(10)) {
                do {
                    try await withTimeout(.seconds(1)) { try await sleep(until: .never) }
                    return "not reached"
                } catch is TimeoutError {
                    try await sleep(for: .seconds(1))
                    return "inner"
                }
            }
            #expect(inner == "inner")
            let log = Recorder<String>()
            await #expect(throws: TimeoutError()) {
                try await withTimeout(.seconds(1)) {
                    do {
                        try await withTimeout(.seconds(10)) { try await sleep(until: .never) }
                    } catch {
                        log.add("\(error)")
                        throw error
                    }
                }
            }
            // To the inner one, the outer's end is a cancellation from outside.
            #expect(log.all == ["CancellationError()"])
        }
    }

    @Test("two nested timeouts of the same length: the outer's error comes out")
    func nestedEqual() throws {
        try virtually {
            await #expect(throws: TimeoutError()) {
                try await withTimeout(.seconds(1)) {
                    try await withTimeout(.seconds(1)) { try await sleep(until: .never) }
                }
            }
            #expect(EventLoop.current.now == EventLoop.Instant(nanoseconds: 1_000_000_000))
        }
    }

    @Test("rescheduling moves the deadline both ways, from no limit and to none")
    func reschedule() throws {
        try virtually {
            let later = await elapsed {
                await #expect(throws: TimeoutError()) {
                    try await withTimeout(.seconds(1)) { timeout in
                        try timeout.reschedule(after: .seconds(4))
                        try await sleep(until: .never)
                    }
                }
            }
            #expect(later == .seconds(4))
            let sooner = await elapsed {
                await #expect(throws: TimeoutError()) {
                    try await withTimeout(nil) { timeout in
                        #expect(timeout.deadline == .never)
                        try timeout.reschedule(after: .seconds(2))
                        try await sleep(until: .never)
                    }
                }
            }
            #expect(sooner == .seconds(2))
            let never = try await withTimeout(.seconds(1)) { timeout in
                try timeout.reschedule(to: .never)
                try await sleep(for: .seconds(9))
                return timeout.isExpired
            }
            #expect(!never)
            await #expect(throws: TimeoutError()) {
                try await withTimeout(.seconds(1)) { timeout in
                    try timeout.reschedule(after: .zero)
                    #expect(timeout.isExpired)
                    try await sleep(for: .seconds(1))
                }
            }
        }
    }

    @Test("rescheduling after time was up throws, and leaves the work cancelled")
    func rescheduleTooLate() throws {
        try virtually {
            let log = Recorder<String>()
            await #expect(throws: TimeoutError()) {
                try await withTimeout(.seconds(1)) { timeout in
                    do {
                        try await sleep(until: .never)
                    } catch {
                        do { try timeout.reschedule(after: .seconds(1)) } catch {
                            log.add("\(type(of: error))")
                        }
                        throw error
                    }
                }
            }
            #expect(log.all == ["TimeoutError"])
        }
    }

    @Test("rescheduling after the work's end traps with a sentence")
    func rescheduleAfterTheEnd() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try EventLoop(clock: .virtual).runBody {
                let timeout = try await withTimeout(.seconds(1)) { timeout in timeout }
                try timeout.reschedule(after: .seconds(1))
            }
        }
        #expect(result?.sentence.contains("rescheduled after its body had ended") == true)
    }

    @Test("a timer is not lost when the runtime's sleep, a group or a plain task's value is what waits")
    func foreignWaits() throws {
        try virtually {
            await #expect(throws: TimeoutError()) {
                try await withTimeout(.seconds(1)) { try await Task.sleep(for: .seconds(100)) }
            }
            await #expect(throws: TimeoutError()) {
                try await withTimeout(.seconds(1)) {
                    try await gather([1, 2]) { _ in try await sleep(until: .never) }
                }
            }
            #expect(EventLoop.current.now < EventLoop.Instant(nanoseconds: 3_000_000_000))
            // The cancelled sleep's job stays with the runtime until it is due.
            try await sleep(for: .seconds(100))
        }
    }

    @Test("waitFor cancels the task when time is up, and waits for its end")
    func waitForTask() throws {
        try virtually {
            let quick = spawn {
                try await sleep(for: .seconds(1))
                return 5
            }
            let outcome3 = try await waitFor(quick, timeout: .seconds(2))
            #expect(outcome3 == 5)
            // At zero, the value of a task that has ended.
            let outcome4 = try await waitFor(quick, timeout: .zero)
            #expect(outcome4 == 5)

            let ended = Counter()
            let slow = spawn {
                do {
                    try await sleep(until: .never)
                } catch {
                    await yield()
                    ended.increment()
                    throw error
                }
            }
            await #expect(throws: TimeoutError()) { try await waitFor(slow, timeout: .seconds(1)) }
            #expect(ended.value == 1 && slow.isDone && slow.isCancelled)

            let unstarted = spawn { ended.increment() }
            _ = try? await waitFor(unstarted, timeout: .zero)
            #expect(unstarted.isDone)
        }
    }

    @Test("a hundred thousand timeouts that are not used leave nothing behind")
    func many() throws {
        try virtually {
            for _ in 0..<100_000 { try await withTimeout(.seconds(30)) {} }
            #expect(EventLoop.current.engine.reactor.timerCount == 0)
            #expect(EventLoop.current.engine.taskIndex.tasks.count == 1)
        }
    }

    @MainActor @Test("outside a loop it traps with a sentence")
    func noLoop() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await withTimeout(.seconds(1)) {}
        }
        #expect(result?.sentence.contains("withTimeout was called outside a running event loop") == true)
    }
}
