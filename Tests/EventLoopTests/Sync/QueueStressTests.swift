import TestSupport
import Testing

@testable import EventLoop

/// Random puts, gets, cancellations and ends: whatever the order of things, each item that was put comes out
/// once, first come, first served.
@Suite("Queues under stress", .timeLimit(.minutes(2)))
struct QueueStressTests {
    @Test("a queue loses nothing, hands out nothing twice, and lets nobody in between")
    func queue() async throws {
        try await onLoop { loop in
            for seed in 1...100 as ClosedRange<UInt64> {
                var random = SeededGenerator(seed: seed)
                let maxSize = [nil, 1, 2, 5].randomElement(using: &random)!
                let queue = Queue<Int>(maxSize: maxSize)
                let ledger = try await stress(queue, &random)
                #expect(ledger.isInOrder, "seed \(seed)")
                ledger.expectBalance("seed \(seed)")
                #expect(loop.engine.waiters.count == 0, "seed \(seed)")
            }
        }
    }

    @Test("nor do queues of other orders")
    func otherOrders() async throws {
        try await onLoop { loop in
            for seed in 1...100 as ClosedRange<UInt64> {
                var random = SeededGenerator(seed: seed)
                let maxSize = [nil, 1, 2, 5].randomElement(using: &random)!
                let queue: Queue<Int> =
                    seed.isMultiple(of: 2) ? LIFOQueue(maxSize: maxSize) : PriorityQueue(maxSize: maxSize)
                let ledger = try await stress(queue, &random)
                ledger.expectBalance("seed \(seed)")
                #expect(loop.engine.waiters.count == 0, "seed \(seed)")
            }
        }
    }

    @Test("nor does a channel")
    func channel() async throws {
        try await onLoop { loop in
            for seed in 1...100 as ClosedRange<UInt64> {
                var random = SeededGenerator(seed: seed)
                let channel = Channel<Int>(capacity: Int.random(in: 0...3, using: &random))
                let ledger = Ledger()
                var tasks: [LoopTask<Void>] = []
                for _ in 0..<100 {
                    switch Int.random(in: 0..<10, using: &random) {
                    case 0...2: tasks.append(spawn { await ledger.put { try await channel.send($0) } })
                    case 3...5: tasks.append(spawn { await ledger.get { try await channel.receive() } })
                    case 6: ledger.putNow { try channel.trySend($0) }
                    case 7: ledger.getNow { try channel.tryReceive() }
                    case 8: tasks.randomElement(using: &random)?.cancel()
                    default: await turns(Int.random(in: 1...2, using: &random))
                    }
                }
                channel.finish()
                while ledger.getNow({ try channel.tryReceive() }) {}
                for task in tasks { try await task.value }
                #expect(ledger.isInOrder, "seed \(seed)")
                ledger.expectBalance("seed \(seed)")
                #expect(loop.engine.waiters.count == 0, "seed \(seed)")
            }
        }
    }

    @Test("a broadcast brings everybody the same elements, but for those that it counts as missed")
    func broadcast() async throws {
        try await onLoop { loop in
            for seed in 1...60 as ClosedRange<UInt64> {
                var random = SeededGenerator(seed: seed)
                let broadcast = Broadcast<Int>()
                let ledger = Ledger()
                let witness = broadcast.subscribe(buffer: 10_000)
                var tasks: [LoopTask<Void>] = []
                let logs = Recorder<[Int]>()
                for _ in 0..<80 {
                    switch Int.random(in: 0..<12, using: &random) {
                    case 0, 1:
                        let subscription = broadcast.subscribe(
                            buffer: Int.random(in: 1...3, using: &random),
                            whenFull: Bool.random(using: &random) ? .wait : .dropOldest)
                        let pace = Int.random(in: 0...2, using: &random)
                        let patience = Int.random(in: 1...40, using: &random)
                        tasks.append(spawn { await follow(subscription, pace, patience, logs) })
                    case 2...6: tasks.append(spawn { await ledger.put { try await broadcast.send($0) } })
                    case 7, 8: ledger.putNow { try broadcast.trySend($0) }
                    case 9: tasks.randomElement(using: &random)?.cancel()
                    default: await turns(Int.random(in: 1...2, using: &random))
                    }
                }
                broadcast.finish()
                for task in tasks { try await task.value }
                while let element = try await witness.next() { ledger.received.append((0, element)) }
                ledger.expectBalance("seed \(seed)")
                // What a subscriber saw is a stretch of what the witness saw, with the gaps that it was told.
                let all = ledger.received.map(\.item)
                for log in logs.all { #expect(isStretch(log, of: all), "seed \(seed): \(log) of \(all)") }
                #expect(loop.engine.waiters.count == 0, "seed \(seed)")
            }
        }
    }

    // MARK: - Parts

    private func stress(
        _ queue: Queue<Int>, _ random: inout SeededGenerator
    ) async throws -> Ledger {
        let ledger = Ledger()
        var tasks: [LoopTask<Void>] = []
        let end = Int.random(in: 40..<160, using: &random)
        for step in 0..<100 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0...2: tasks.append(spawn { await ledger.put { try await queue.put($0) } })
            case 3...5: tasks.append(spawn { await ledger.get { try await queue.get() } })
            case 6:
                ledger.putNow {
                    try queue.putNoWait($0)
                    return true
                }
            case 7: ledger.getNow { try queue.getNoWait() }
            case 8: tasks.randomElement(using: &random)?.cancel()
            default: await turns(Int.random(in: 1...2, using: &random))
            }
            if step == end {
                let immediate = Bool.random(using: &random)
                if immediate { ledger.dropped = queue.count }
                queue.shutdown(immediate: immediate)
            }
        }
        queue.shutdown()
        while ledger.getNow({ try queue.getNoWait() }) {}
        for task in tasks { try await task.value }
        // Each item that was received is to be reported, and none besides.
        let joiner = spawn { try await queue.join() }
        for _ in ledger.received {
            await turns(1)
            #expect(!joiner.isDone)
            queue.taskDone()
        }
        try await joiner.value
        return ledger
    }

    private func follow(
        _ subscription: Broadcast<Int>.Subscription, _ pace: Int, _ patience: Int, _ logs: Recorder<[Int]>
    ) async {
        var log: [Int] = []
        for _ in 0..<patience {
            guard let element = try? await subscription.next() else { break }
            // Missed elements stand as minus one. Before the first they are not known to the witness's order.
            if !log.isEmpty { log += Array(repeating: -1, count: subscription.missed) }
            log.append(element)
            await turns(pace)
        }
        logs.add(log)
    }

    private func isStretch(_ log: [Int], of all: [Int]) -> Bool {
        guard let first = log.first else { return true }
        guard let start = all.firstIndex(of: first), start + log.count <= all.count else { return false }
        return zip(log, all[start...]).allSatisfy { $0 == -1 || $0 == $1 }
    }
}

/// What went in and what came out, on the loop's thread. Items are numbered in the order of the calls that
/// put them.
private final class Ledger: @unchecked Sendable {
    private var nextItem = 0
    private var nextGet = 0
    private var accepted: [Int] = []
    var received: [(get: Int, item: Int)] = []
    var dropped = 0

    func put(_ body: (Int) async throws -> Void) async {
        let item = takeItem()
        do {
            try await body(item)
            accepted.append(item)
        } catch {}
    }

    func putNow(_ body: (Int) throws -> Bool) {
        let item = takeItem()
        if (try? body(item)) == true { accepted.append(item) }
    }

    func get(_ body: () async throws -> Int?) async {
        let get = takeGet()
        if let item = try? await body() { received.append((get, item)) }
    }

    @discardableResult
    func getNow(_ body: () throws -> Int?) -> Bool {
        let get = takeGet()
        guard let item = try? body() else { return false }
        received.append((get, item))
        return true
    }

    /// The first that asked got what was put first, and so on.
    var isInOrder: Bool {
        let items = received.sorted { $0.get < $1.get }.map(\.item)
        return items == items.sorted()
    }

    func expectBalance(_ comment: Comment, sourceLocation: SourceLocation = #_sourceLocation) {
        let items = received.map(\.item)
        #expect(Set(items).count == items.count, comment, sourceLocation: sourceLocation)
        #expect(Set(items).isSubset(of: accepted), comment, sourceLocation: sourceLocation)
        #expect(items.count + dropped == accepted.count, comment, sourceLocation: sourceLocation)
    }

    private func takeItem() -> Int {
        nextItem += 1
        return nextItem
    }

    private func takeGet() -> Int {
        nextGet += 1
        return nextGet
    }
}
