import TestSupport
import Testing

@testable import EventLoop

/// Random programs that cancel tasks wherever they are, over many seeds: no permit, notification or place in
/// line may get lost, and none be there twice.
@Suite("Synchronisation under random cancellations", .timeLimit(.minutes(5)))
struct SyncStressTests {
    /// Runs the program for 200 seeds: half of them on a loop that keeps the order of ready tasks, the others
    /// on loops that draw it.
    private static func forEachSeed(
        _ program: @escaping @Sendable (_ seed: UInt64, EventLoop) async throws -> Void
    ) throws {
        for loopSeed in [nil, 1, 2, 3, 4, 5] as [UInt64?] {
            try virtually(seed: loopSeed) {
                for seed in 1...(loopSeed == nil ? 100 : 20) as ClosedRange<UInt64> {
                    try await program(seed + 1000 * (loopSeed ?? 0), .current)
                }
            }
        }
    }

    /// Starts tasks, half of them the loop's own and half children of such, and cancels half of them at
    /// random moments; returns once all but those that wait have ended. `act` is what happens in between.
    private static func run(
        _ count: Int, seed: UInt64, on loop: EventLoop,
        between act: (inout SeededGenerator) -> Void = { _ in },
        _ work: @escaping @Sendable (Int, inout SeededGenerator) async throws -> Void
    ) async -> [LoopTask<Void>] {
        var random = SeededGenerator(seed: seed)
        var tasks: [LoopTask<Void>] = []
        for number in 0..<count {
            let seed = random.next()
            tasks.append(
                loop.spawn {
                    if number.isMultiple(of: 2) {
                        var random = SeededGenerator(seed: seed)
                        try await work(number, &random)
                    } else {
                        async let child: Void = {
                            var random = SeededGenerator(seed: seed)
                            try await work(number, &random)
                        }()
                        try await child
                    }
                })
        }
        for task in tasks.shuffled(using: &random).prefix(count / 2) {
            await turns(.random(in: 0...3, using: &random))
            act(&random)
            task.cancel()
        }
        // Enough for everything that can go on to end.
        await turns(count * 12)
        return tasks
    }

    private static func countRunning(_ tasks: [LoopTask<Void>]) -> Int {
        tasks.count { !$0.isDone }
    }

    /// Lets others run up to three times, or not at all.
    private static func pause(_ random: inout SeededGenerator) async {
        await turns(.random(in: 0...3, using: &random))
    }

    @Test("semaphores keep their permits")
    func semaphore() throws {
        try Self.forEachSeed { seed, loop in
            let permits = Int(seed % 3) + 1
            let semaphore = BoundedSemaphore(permits)
            let inside = Counter()
            let tasks = await Self.run(12, seed: seed, on: loop) { _, random in
                for _ in 0..<3 {
                    if Bool.random(using: &random), semaphore.tryAcquire() {
                        await Self.pause(&random)
                        semaphore.release()
                    }
                    try await semaphore.withPermit {
                        inside.increment()
                        defer { inside.decrement() }
                        #expect(inside.value <= permits)
                        await Self.pause(&random)
                        try Task.checkCancellation()
                        await Self.pause(&random)
                    }
                }
            }
            #expect(Self.countRunning(tasks) == 0, "seed \(seed)")
            #expect(semaphore.value == permits, "seed \(seed)")
        }
    }

    @Test("locks are neither lost nor held twice, and keep the order")
    func lock() throws {
        try Self.forEachSeed { seed, loop in
            let lock = Lock()
            let inside = Counter()
            // Who asked and who got it, in order: those who gave up are in the first only.
            let (asked, got) = (Recorder<Int>(), Recorder<Int>())
            let tasks = await Self.run(12, seed: seed, on: loop) { number, random in
                for round in 0..<3 {
                    await Self.pause(&random)
                    asked.add(number * 3 + round)
                    try await lock.acquire()
                    got.add(number * 3 + round)
                    inside.increment()
                    #expect(inside.value == 1)
                    await Self.pause(&random)
                    inside.decrement()
                    lock.release()
                }
            }
            #expect(Self.countRunning(tasks) == 0, "seed \(seed)")
            #expect(!lock.isLocked, "seed \(seed)")
            // Where order is drawn, a task that asks may let others go first.
            let served = Set(got.all)
            #expect(
                loop.engine.seededOrder != nil || got.all == asked.all.filter(served.contains),
                "seed \(seed)")
        }
    }

    @Test("conditions lose no notification: no item is left while somebody waits for one")
    func condition() throws {
        try Self.forEachSeed { seed, loop in
            let condition = Condition()
            let (items, taken, waiting) = (Counter(), Counter(), Counter())
            let tasks = await Self.run(12, seed: seed, on: loop) { number, random in
                for _ in 0..<3 {
                    await Self.pause(&random)
                    try await condition.acquire()
                    defer { condition.release() }
                    if number % 4 < 2 {
                        items.increment()
                        condition.notify()
                        await Self.pause(&random)
                    } else {
                        waiting.increment()
                        defer { waiting.decrement() }
                        try await condition.wait(until: { items.value > 0 })
                        items.decrement()
                        taken.increment()
                    }
                }
            }
            #expect(items.value == 0 || waiting.value == 0, "seed \(seed): \(items.value) items")
            #expect(!condition.lock.isLocked, "seed \(seed)")
            for task in tasks { task.cancel() }
            for task in tasks { _ = await task.result }
            #expect(!condition.lock.isLocked, "seed \(seed)")
        }
    }

    @Test("limiters lend no more than their total allows, however it changes, and get all back")
    func limiter() throws {
        try Self.forEachSeed { seed, loop in
            let limiter = CapacityLimiter(2)
            let highest = 4
            let tasks = await Self.run(
                12, seed: seed, on: loop,
                between: { random in
                    let before = limiter.borrowed
                    limiter.total = .random(in: 0...highest, using: &random)
                    #expect(limiter.borrowed <= max(before, limiter.total))
                    #expect(limiter.waitingCount == 0 || limiter.borrowed >= limiter.total)
                },
                { _, random in
                    for _ in 0..<3 {
                        try await limiter.withPermit {
                            #expect(limiter.borrowed <= highest)
                            await Self.pause(&random)
                        }
                    }
                })
            limiter.total = 2
            await turns(12 * 12)
            #expect(Self.countRunning(tasks) == 0, "seed \(seed)")
            #expect(limiter.borrowed == 0 && limiter.available == 2, "seed \(seed)")
        }
    }

    @Test("barriers let nobody pass alone, and number each set of tasks without gaps")
    func barrier() throws {
        try Self.forEachSeed { seed, loop in
            let barrier = Barrier(3)
            let numbers = Recorder<Int>()
            let tasks = await Self.run(12, seed: seed, on: loop) { _, random in
                for _ in 0..<3 {
                    await Self.pause(&random)
                    numbers.add(try await barrier.wait())
                }
            }
            #expect(barrier.waitingCount < 3, "seed \(seed)")
            #expect(Self.countRunning(tasks) == barrier.waitingCount, "seed \(seed)")
            for number in 0..<3 {
                let passed = numbers.all.filter { $0 == number }
                #expect(passed.count * 3 == numbers.count, "seed \(seed)")
            }
            barrier.abort()
            for task in tasks { _ = await task.result }
        }
    }
}
