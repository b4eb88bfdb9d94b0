import Testing

@testable import EventLoop

/// Queues, channels and broadcasts, with both sides cancelled wherever they are: no item gets lost, and none
/// comes twice.
@Suite("queues in chaos", .timeLimit(.minutes(5)))
struct QueueChaosTests {
    /// What was put, or sent, and what has come out.
    private final class Account {
        private var next = 0
        private(set) var arrived: [Int] = []
        private var sent: Set<Int> = []

        func make() -> Int {
            next += 1
            return next
        }

        func wasSent(_ item: Int) { sent.insert(item) }

        func hasArrived(_ item: Int) { arrived.append(item) }

        /// Each item that was sent has come out once, and no other has.
        func check(_ chaos: Chaos, left: [Int] = []) throws {
            try chaos.check((arrived + left).sorted() == sent.sorted(), "\(arrived) and \(left) of \(sent)")
        }
    }

    private static func run(_ makeQueue: @escaping @Sendable (Int?) -> Queue<Int>) async throws {
        try await chaos { chaos in
            let queue = makeQueue(chaos.chance(1, in: 4) ? nil : chaos.number(1...3))
            let account = Account()
            var unfinished = 0
            let producers = (0..<3).map { _ in
                chaos.worker {
                    for _ in 0..<3 {
                        let item = account.make()
                        try await queue.put(item)
                        account.wasSent(item)
                        try await chaos.pause()
                    }
                }
            }
            let consumers = (0..<3).map { _ in
                chaos.worker {
                    while true {
                        guard let item = try await queue.nextOrNil() else { return }
                        account.hasArrived(item)
                        unfinished += 1
                        await chaos.turns()
                        queue.taskDone()
                        unfinished -= 1
                        try await chaos.pause()
                    }
                }
            }
            let joiner = chaos.worker { try await queue.join() }
            try await chaos.strike()
            // A producer may wait for space when all consumers were cancelled.
            let drain = chaos.helper {
                while let item = try await queue.nextOrNil() {
                    account.hasArrived(item)
                    queue.taskDone()
                }
            }
            try await chaos.end(producers)
            queue.shutdown()
            try await chaos.end(consumers + [drain, joiner])
            try await queue.join()
            try chaos.check(unfinished == 0 && queue.isEmpty, "all is done")
            try account.check(chaos)
        }
    }

    @Test("a queue's items")
    func queue() async throws {
        try await Self.run({ Queue(maxSize: $0) })
    }

    @Test("a priority queue's items")
    func priorityQueue() async throws {
        try await Self.run({ PriorityQueue(maxSize: $0) })
    }

    @Test("a LIFO queue's items")
    func lifoQueue() async throws {
        try await Self.run({ LIFOQueue(maxSize: $0) })
    }

    @Test("a queue that is shut down at any time lets everybody go")
    func shutdown() async throws {
        try await chaos { chaos in
            let queue = Queue<Int>(maxSize: 1)
            var taken = 0
            for number in 0..<6 {
                chaos.worker {
                    do {
                        for _ in 0..<3 {
                            if number % 2 == 0 {
                                try await queue.put(number)
                            } else {
                                _ = try await queue.get()
                                taken += 1
                            }
                            try await chaos.pause()
                        }
                    } catch is QueueShutDown {}
                }
            }
            let users = chaos.workers
            let joiner = chaos.worker { try await queue.join() }
            let closer = chaos.helper {
                try await chaos.pause()
                try await chaos.pause()
                queue.shutdown(immediate: true)
            }
            try await chaos.strike()
            try await chaos.end(users + [closer])
            // Items that were taken and not reported as done keep who joins waiting.
            for _ in 0..<taken { queue.taskDone() }
            try await joiner.end()
            try chaos.check(queue.isEmpty, "it is empty")
        }
    }

    @Test("a channel's elements", arguments: [0, 1, 3])
    func channel(capacity: Int) async throws {
        try await chaos { chaos in
            let channel = Channel<Int>(capacity: capacity)
            let account = Account()
            let senders = (0..<3).map { _ in
                chaos.worker {
                    for _ in 0..<3 {
                        let item = account.make()
                        try await channel.send(item)
                        account.wasSent(item)
                        try await chaos.pause()
                    }
                }
            }
            let receivers = (0..<3).map { _ in
                chaos.worker {
                    while let item = try await channel.receive() {
                        account.hasArrived(item)
                        try await chaos.pause()
                    }
                }
            }
            try await chaos.strike()
            let drain = chaos.helper {
                while let item = try await channel.receive() { account.hasArrived(item) }
            }
            try await chaos.end(senders)
            channel.finish()
            try await chaos.end(receivers + [drain])
            try account.check(chaos)
        }
    }

    @Test("a broadcast's elements reach every subscriber that stays, in one order")
    func broadcast() async throws {
        try await chaos { chaos in
            let broadcast = Broadcast<Int>()
            let account = Account()
            var sent: [Int] = []
            var logs: [[Int]] = []
            let subscribers = (0..<3).map { number in
                let subscription = broadcast.subscribe(buffer: chaos.number(1...2))
                logs.append([])
                return chaos.worker {
                    defer { subscription.close() }
                    for try await item in subscription {
                        logs[number].append(item)
                        try await chaos.pause()
                    }
                }
            }
            let senders = (0..<2).map { _ in
                chaos.worker {
                    for _ in 0..<3 {
                        let item = account.make()
                        try await broadcast.send(item)
                        sent.append(item)
                        try await chaos.pause()
                    }
                }
            }
            try await chaos.strike()
            try await chaos.end(senders)
            broadcast.finish()
            try await chaos.end(subscribers)
            for (worker, log) in zip(subscribers, logs) {
                try chaos.check(Set(log).count == log.count, "none comes twice: \(log)")
                if !worker.isCancelled {
                    try chaos.check(log.sorted() == sent.sorted(), "\(log) of \(sent)")
                    for other in logs {
                        try chaos.check(log.filter(other.contains) == other, "one order: \(other), \(log)")
                    }
                }
            }
        }
    }
}

extension Queue<Int> {
    /// The next item, or nil when the queue is shut down and empty.
    fileprivate func nextOrNil() async throws -> Int? {
        do { return try await get() } catch is QueueShutDown { return nil }
    }
}
