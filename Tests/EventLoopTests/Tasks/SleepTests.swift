import TestSupport
import Testing

@testable import EventLoop

@Suite("Sleep and yield", .timeLimit(.minutes(5)))
struct SleepTests {
    // MARK: - Time

    @Test("a sleep is never early")
    func neverEarly() async throws {
        try await onLoop { loop in
            var random = SeededGenerator(seed: 1)
            let early = Counter()
            let sleeps = operations(200) { _ in
                let nanoseconds = UInt64.random(in: 1...20_000_000, using: &random)
                return {
                    let due = loop.now.nanoseconds + nanoseconds
                    try await sleep(for: .nanoseconds(nanoseconds))
                    if loop.now.nanoseconds < due { early.increment() }
                }
            }
            _ = try await gather(sleeps) { try await $0() }
            #expect(early.value == 0)
        }
    }

    @Test("a sleep until a deadline is never early")
    func untilNeverEarly() async throws {
        try await onLoop { loop in
            for _ in 0..<20 {
                let deadline = loop.now.advanced(by: .microseconds(300))
                try await sleep(until: deadline)
                #expect(loop.now >= deadline)
            }
        }
    }

    @Test("Task.sleep on a loop is never early")
    func taskSleep() async throws {
        try await onLoop { loop in
            let due = loop.now.advanced(by: .milliseconds(2))
            try await Task.sleep(for: .milliseconds(2))
            #expect(loop.now >= due)
            #expect(loop.isOnLoopThread)
        }
    }

    @Test(
        "zero, negative and past sleeps let the others go first, once, and start no timer",
        arguments: ["zero", "negative", "most negative", "past", "origin"])
    func yieldingSleeps(kind: String) async throws {
        try await onLoop { loop in
            let order = Recorder<String>()
            loop.callSoon {
                order.add("other")
                loop.callSoon { order.add("next turn") }
            }
            switch kind {
            case "zero": try await sleep(for: .zero)
            case "negative": try await sleep(for: .seconds(-1))
            case "most negative": try await sleep(for: .seconds(Int64.min))
            case "past": try await sleep(until: loop.now)
            default: try await sleep(until: EventLoop.Instant(nanoseconds: 0))
            }
            order.add("slept")
            await turns()
            #expect(order.all == ["other", "slept", "next turn"])
            #expect(loop.engine.reactor.timerCount == 0)
        }
    }

    @Test("sleepers with the same deadline go on in the order in which they went to sleep")
    func equalDeadlines() async throws {
        try await onLoop { loop in
            let order = try await orderOfSleepers(on: loop, offsets: [Int](repeating: 0, count: 100))
            #expect(order == (0..<100).map { $0 })
        }
    }

    @Test("sleepers go on in the order of their deadlines")
    func deadlineOrder() async throws {
        try await onLoop { loop in
            var random = SeededGenerator(seed: 2)
            let offsets = (0..<100).shuffled(using: &random)
            let order = try await orderOfSleepers(on: loop, offsets: offsets)
            #expect(order == (0..<100).sorted { offsets[$0] < offsets[$1] })
        }
    }

    /// Sends tasks to sleep until one instant and so many microseconds more, and returns in which order they
    /// went on.
    private func orderOfSleepers(on loop: EventLoop, offsets: [Int]) async throws -> [Int] {
        try await asleepInTime(on: loop) { deadline in
            let order = Recorder<Int>()
            let tasks = offsets.enumerated().map { number, offset in
                spawn {
                    try await sleep(until: deadline.advanced(by: .microseconds(offset)))
                    order.add(number)
                }
            }
            return (tasks, { order.all })
        }
    }

    /// Repeats an experiment with ever later deadlines until its tasks were asleep before the deadline.
    private func asleepInTime<Outcome>(
        on loop: EventLoop,
        _ experiment: (EventLoop.Instant) -> (tasks: [LoopTask<Void>], outcome: () -> Outcome)
    ) async throws -> Outcome {
        var margin = Duration.milliseconds(2)
        while true {
            let deadline = loop.now.advanced(by: margin)
            let (tasks, outcome) = experiment(deadline)
            await turns(2)
            let isInTime = loop.now < deadline
            for task in tasks { _ = await task.result }
            if isInTime { return outcome() }
            margin *= 2
        }
    }

    // MARK: - Cancellation

    @Test("a sleep until never ends by cancellation, and the timer is gone", arguments: [true, false])
    func never(isDuration: Bool) async throws {
        try await onLoop { loop in
            let task = spawn {
                if isDuration {
                    try await sleep(for: .seconds(Int64.max))
                } else {
                    try await sleep(until: .never)
                }
            }
            await turns(2)
            #expect(loop.engine.reactor.timerCount == 1)
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(loop.engine.reactor.timerCount == 0)
            #expect(loop.engine.waiters.count == 0)
        }
    }

    @Test("a task that is cancelled before it sleeps does not sleep", arguments: [-1, 0, 1_000_000])
    func cancelledBefore(seconds: Int) async throws {
        try await onLoop { loop in
            let task = spawn { try await sleep(for: .seconds(seconds)) }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    @Test("a yielding sleep notices a cancellation that comes meanwhile")
    func cancelledWhileYielding() async throws {
        try await onLoop { loop in
            let task = spawn { try await sleep(for: .zero) }
            loop.callSoon { task.cancel() }
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    @Test("cancellation from another thread ends a sleep")
    func cancelledFromElsewhere() async throws {
        try await onLoop { loop in
            let tasks = (0..<100).map { _ in spawn { try await sleep(until: .never) } }
            await turns(2)
            try await onThread { for task in tasks { task.cancel() } }
            for task in tasks {
                await #expect(throws: CancellationError.self) { try await task.value }
            }
        }
    }

    @Test(
        "a cancellation in the very turn in which a sleep is due comes too late: timers are collected first")
    func sameTurn() async throws {
        try await onLoop { loop in
            let (cancelled, slept) = try await asleepInTime(on: loop) { deadline in
                // One that is due just before the sleeper, one just after it, both in the sleeper's turn.
                let tasks = Recorder<LoopTask<Void>>()
                loop.callAt(deadline) { tasks.all[0].cancel() }
                let slept = Counter()
                for _ in 0..<2 {
                    tasks.add(
                        spawn {
                            try await sleep(until: deadline)
                            slept.increment()
                        })
                }
                tasks.add(
                    spawn {
                        await yield()
                        loop.callAt(deadline) { tasks.all[1].cancel() }
                    })
                return (tasks.all, { (tasks.all.map { $0.isCancelled }, slept.value) })
            }
            #expect(cancelled == [true, true, false])
            #expect(slept == 2)
        }
    }

    @Test("cancellation that races with the timer leaves one outcome and nothing behind")
    func race() async throws {
        try await onLoop { loop in
            var random = SeededGenerator(seed: 3)
            let outcomes = Counter()
            let cancelled = Counter()
            for _ in 0..<100 {
                let tasks = (0..<100).map { _ in
                    let delay = Duration.microseconds(Int.random(in: 1...400, using: &random))
                    return spawn {
                        do { try await sleep(for: delay) } catch { cancelled.increment() }
                        outcomes.increment()
                    }
                }
                await turns(2)
                let canceller = Thread { for task in tasks { task.cancel() } }
                for task in tasks { try await task.value }
                try await canceller.value
            }
            #expect(outcomes.value == 10_000)
            await turns(2)
            #expect(loop.engine.waiters.count == 0)
            #expect(loop.engine.reactor.timerCount == 0)
        }
    }

    @Test("100,000 sleeps that are cancelled give their memory back")
    func massCancellation() async throws {
        try await onLoop { loop in
            let all = Task(executorPreference: loop.executor) {
                try await gather(operations(100_000) { _ in { try await sleep(until: .never) } }) {
                    try await $0()
                }
            }
            while loop.engine.reactor.timerCount < 100_000 { await turns() }
            all.cancel()
            await #expect(throws: CancellationError.self) { _ = try await all.value }
            #expect(loop.engine.reactor.timerCount == 0)
            #expect(loop.engine.waiters.count == 0)
        }
    }

    // MARK: - Yield

    @Test("yield lets the others run in their order, each once")
    func yields() async throws {
        try await onLoop { _ in
            let order = Recorder<String>()
            let tasks = ["a", "b", "c"].map { name in
                spawn {
                    for round in 0..<3 {
                        order.add("\(name)\(round)")
                        await yield()
                    }
                }
            }
            for task in tasks { try await task.value }
            #expect(order.all == ["a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"])
        }
    }

    @Test("yield is not a point of cancellation")
    func yieldWhenCancelled() async throws {
        try await onLoop { _ in
            let task = spawn {
                await yield()
                return Task.isCancelled
            }
            task.cancel()
            let wasCancelled = try await task.value
            #expect(wasCancelled)
        }
    }

    @Test("Task.yield lets the others go first, too")
    func taskYield() async throws {
        try await onLoop { loop in
            let order = Recorder<String>()
            loop.callSoon { order.add("other") }
            await Task.yield()
            order.add("yielded")
            #expect(order.all == ["other", "yielded"])
            #expect(loop.isOnLoopThread)
        }
    }

    @Test("an actor of the loop that yields lets the others go first, and stays on its loop")
    func actorYields() async throws {
        try await onLoop { loop in
            let order = Recorder<String>()
            let resident = YieldingResident(loop: loop)
            loop.callSoon { order.add("other") }
            await resident.yieldAndRecord(order)
            #expect(order.all.first == "other")
            #expect(order.all.count == 2)
        }
    }

    // MARK: - Misuse

    @Test("sleep outside a loop traps with a sentence")
    func outside() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await sleep(for: .seconds(1))
        }
        #expect(result.sentence.contains("sleep(for:) was called outside a running event loop"))
    }

    @Test("yield outside a loop traps with a sentence")
    func yieldOutside() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            await yield()
        }
        #expect(result.sentence.contains("yield() was called outside a running event loop"))
    }
}

private actor YieldingResident {
    private let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.serialExecutor.asUnownedSerialExecutor() }

    init(loop: EventLoop) {
        self.loop = loop
    }

    func yieldAndRecord(_ order: Recorder<String>) async {
        await yield()
        order.add(loop.isOnLoopThread ? "here" : "elsewhere")
    }
}
