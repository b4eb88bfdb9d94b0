import TestSupport
import Testing

@testable import EventLoop

@Suite("LIFOQueue and PriorityQueue", .timeLimit(.minutes(5)))
struct QueueOrderTests {
    @Test("a LIFO queue gives the last item first")
    func lifo() async throws {
        try await onLoop { _ in
            let queue = LIFOQueue<Int>()
            for number in [1, 2, 3] { try await queue.put(number) }
            #expect(try drain(queue) == [3, 2, 1])
        }
    }

    @Test("a priority queue gives the least item first")
    func priority() async throws {
        try await onLoop { _ in
            let queue = PriorityQueue<Int>()
            for number in [5, 1, 4, 2, 3] { try await queue.put(number) }
            #expect(try drain(queue) == [1, 2, 3, 4, 5])
        }
    }

    @Test("items of equal rank keep the order in which they went in")
    func equalRanks() async throws {
        try await onLoop { _ in
            let queue = PriorityQueue<(rank: Int, name: Int)>(by: { $0.rank < $1.rank })
            for name in 0..<300 { try queue.putNoWait((rank: name % 3, name: name)) }
            let names = try drain(queue).map(\.name)
            #expect(names == (0..<3).flatMap { rank in (0..<300).filter { $0 % 3 == rank } })
        }
    }

    @Test("a comparison of one's own may turn the order around")
    func greatestFirst() async throws {
        try await onLoop { _ in
            let queue = PriorityQueue<Int>(maxSize: 3, by: >)
            for number in [2, 3, 1] { try queue.putNoWait(number) }
            #expect(queue.isFull)
            #expect(try drain(queue) == [3, 2, 1])
        }
    }

    @Test("a task that waits gets the item that is next by the time it goes on")
    func chosenLate() async throws {
        try await onLoop { _ in
            let (priority, lifo) = (PriorityQueue<Int>(), LIFOQueue<Int>())
            let least = spawn { try await priority.get() }
            let last = spawn { try await lifo.get() }
            await turns(2)
            for number in [3, 1, 2] {
                try priority.putNoWait(number)
                try lifo.putNoWait(number)
            }
            let got = [try await least.value, try await last.value]
            #expect(got == [1, 2])
            #expect(try drain(priority) == [2, 3])
            #expect(try drain(lifo) == [1, 3])
        }
    }

    @Test("a task that was woken finds an item, whoever takes others meanwhile")
    func promisedItemIsNotBarged() async throws {
        try await onLoop { _ in
            for queue in [LIFOQueue<Int>(), PriorityQueue<Int>()] as [Queue<Int>] {
                let getter = spawn { try await queue.get() }
                await turns(2)
                try queue.putNoWait(1)
                #expect(queue.isEmpty)
                #expect(throws: QueueEmpty()) { try queue.getNoWait() }
                try queue.putNoWait(2)
                let other = try queue.getNoWait()
                let own = try await getter.value
                #expect([own, other].sorted() == [1, 2])
                #expect(queue.isEmpty)
            }
        }
    }

    @Test("a task that is cancelled after it was woken returns its item, one before leaves it")
    func cancelledGetters() async throws {
        try await onLoop { _ in
            for queue in [LIFOQueue<Int>(), PriorityQueue<Int>()] as [Queue<Int>] {
                let first = spawn { try await queue.get() }
                let second = spawn { try await queue.get() }
                await turns(2)
                first.cancel()
                try queue.putNoWait(1)
                second.cancel()
                let item = try await second.value
                #expect(item == 1)
                await #expect(throws: CancellationError.self) { try await first.value }
                #expect(queue.isEmpty)
            }
        }
    }

    @Test("an immediate shutdown leaves woken tasks their items")
    func immediateShutdownKeepsPromises() async throws {
        try await onLoop { _ in
            for queue in [LIFOQueue<Int>(), PriorityQueue<Int>(by: >)] as [Queue<Int>] {
                let getters = (0..<3).map { _ in spawn { try await queue.get() } }
                await turns(2)
                for number in 0..<2 { try queue.putNoWait(number) }
                // One is left waiting, and two were promised an item.
                queue.shutdown(immediate: true)
                let items = [try await getters[0].value, try await getters[1].value]
                #expect(items == [1, 0])
                await #expect(throws: QueueShutDown()) { try await getters[2].value }
                let joiner = spawn { try await queue.join() }
                await turns(2)
                #expect(!joiner.isDone)
                queue.taskDone()
                queue.taskDone()
                try await joiner.value
            }
        }
    }

    @Test("items of tasks that wait for space go in in the order of the tasks")
    func puttersInOrder() async throws {
        try await onLoop { _ in
            let queue = PriorityQueue<Int>(maxSize: 1)
            try queue.putNoWait(5)
            for number in [9, 1, 4] { spawn { try await queue.put(number) } }
            await turns(2)
            #expect(try drain(queue) == [5, 9, 1, 4])
            await turns(2)
        }
    }

    @Test("each is a Queue")
    func polymorphism() async throws {
        try await onLoop { _ in
            for queue in [Queue<Int>(maxSize: 2), LIFOQueue(maxSize: 2), PriorityQueue(maxSize: 2)] {
                try await queue.put(1)
                queue.shutdown()
                var items: [Int] = []
                for try await item in queue { items.append(item) }
                #expect(items == [1] && queue.maxSize == 2)
            }
        }
    }

    private func drain<Item>(_ queue: Queue<Item>) throws -> [Item] {
        var items: [Item] = []
        while !queue.isEmpty { items.append(try queue.getNoWait()) }
        return items
    }
}
