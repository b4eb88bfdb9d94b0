import TestSupport
import Testing

@testable import EventLoop

@Suite("SeededOrder", .timeLimit(.minutes(5)))
struct SeededOrderTests {
    /// The order in which a new loop runs tasks that became ready together.
    private func order(of count: Int, seed: UInt64?, clock: EventLoop.ClockKind = .virtual) throws -> [Int] {
        let loop = try EventLoop(clock: clock, seed: seed)
        let order = Recorder<Int>()
        for number in 0..<count { loop.spawn { order.add(number) } }
        try loop.runUntilAllTasksBlocked()
        expectNothingLeft(on: loop)
        return order.all
    }

    @Test("without a seed, the order is the one in which they became ready")
    func fifo() throws {
        #expect(try order(of: 100, seed: nil) == Array(0..<100))
    }

    @Test("the same seed gives the same order, whatever the clock")
    func same() throws {
        for seed in 0..<20 as Range<UInt64> {
            let first = try order(of: 50, seed: seed)
            #expect(first.sorted() == Array(0..<50))
            for clock in [EventLoop.ClockKind.virtual, .manual, .monotonic] {
                #expect(try order(of: 50, seed: seed, clock: clock) == first)
            }
        }
        #expect(try order(of: 50, seed: 1) != order(of: 50, seed: 2))
    }

    @Test("the seeds next to each other reach every order, and each about as often")
    func permutations() throws {
        var counts: [[Int]: Int] = [:]
        for seed in 0..<2400 as Range<UInt64> { counts[try order(of: 4, seed: seed), default: 0] += 1 }
        #expect(counts.count == 24)
        // 100 each on average, with a deviation of 10.
        #expect(counts.values.allSatisfy { (60...140).contains($0) }, "\(counts.values.sorted())")
    }

    @Test("calls keep callSoon's order, and tasks come anywhere between them")
    func calls() throws {
        var placesOfTheTask: Set<Int> = []
        for seed in 0..<200 as Range<UInt64> {
            let loop = try EventLoop(clock: .virtual, seed: seed)
            let order = Recorder<String>()
            for number in 0..<3 { loop.callSoon { order.add("call \(number)") } }
            loop.spawn { order.add("task") }
            for number in 3..<6 { loop.callSoon { order.add("call \(number)") } }
            try loop.runUntilAllTasksBlocked()
            #expect(order.all.filter { $0 != "task" } == (0..<6).map { "call \($0)" })
            placesOfTheTask.insert(try #require(order.all.firstIndex(of: "task")))
        }
        #expect(placesOfTheTask == Set(0...6))
    }

    @Test(
        "a turn runs what was ready when it began: nobody is a turn ahead", arguments: 0..<20 as Range<UInt64>
    )
    func turns(seed: UInt64) throws {
        let loop = try EventLoop(clock: .virtual, seed: seed)
        let rounds = Recorder<Int>()
        for _ in 0..<5 {
            loop.spawn {
                for round in 0..<10 {
                    rounds.add(round)
                    await yield()
                }
            }
        }
        try loop.runUntilAllTasksBlocked()
        #expect(rounds.all == (0..<10).flatMap { Array(repeating: $0, count: 5) })
    }

    @Test("a task that finds its data there lets others go first after three times, or fewer")
    func budget() throws {
        var longest = 0
        for seed in 0..<100 as Range<UInt64> {
            let loop = try EventLoop(clock: .virtual, seed: seed)
            let run = try loop.runBody {
                let engine = EventLoop.current.engine
                var (run, longest) = (0, 0)
                for _ in 0..<50 {
                    let turn = engine.state.counts.turns
                    try await engine.spendBudget()
                    run = engine.state.counts.turns == turn ? run + 1 : 0
                    longest = max(longest, run)
                }
                return longest
            }
            longest = max(longest, run)
        }
        #expect(longest == 3)
    }

    @Test("a task that yields runs once, and where its turn comes", arguments: 0..<20 as Range<UInt64>)
    func yielding(seed: UInt64) throws {
        let loop = try EventLoop(clock: .virtual, seed: seed)
        let steps = Recorder<Int>()
        for number in 0..<8 {
            loop.spawn {
                for _ in 0..<4 { await yield() }
                steps.add(number)
            }
        }
        try loop.runUntilAllTasksBlocked()
        #expect(steps.all.sorted() == Array(0..<8))
        #expect(loop.engine.state.counts.steps == 8 * 5)
    }
}
