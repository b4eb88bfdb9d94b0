import TestSupport
import Testing

@testable import EventLoop

/// Finished work, shutdown and iteration.
@Suite("Queue: join and shutdown", .timeLimit(.minutes(5)))
struct QueueEndTests {
    // MARK: - Finished work

    @Test("join waits until each item was taken and is done")
    func joinWaitsForZero() async throws {
        try await onLoop { _ in
            let queue = Queue<Int>()
            try await queue.join()
            for number in 0..<3 { try await queue.put(number) }
            let joiners = (0..<2).map { _ in spawn { try await queue.join() } }
            for _ in 0..<3 {
                _ = try await queue.get()
                await turns(2)
                #expect(joiners.allSatisfy { !$0.isDone })
                queue.taskDone()
            }
            for joiner in joiners { try await joiner.value }
            try await queue.join()
        }
    }

    @Test("the item of a waiting task counts from the moment when it goes in")
    func joinDoesNotWakeEarly() async throws {
        try await onLoop { _ in
            let queue = Queue<Int>(maxSize: 1)
            try await queue.put(1)
            spawn { try await queue.put(2) }
            let joiner = spawn { try await queue.join() }
            await turns(2)
            // In one step: the second item is in, although its task has not gone on.
            _ = try queue.getNoWait()
            queue.taskDone()
            await turns(3)
            #expect(!joiner.isDone)
            _ = try queue.getNoWait()
            queue.taskDone()
            try await joiner.value
        }
    }

    @Test("an item that goes to a waiting task counts, too")
    func joinCountsHandedOverItems() async throws {
        try await onLoop { _ in
            for queue in [Queue<Int>(), LIFOQueue<Int>(), PriorityQueue<Int>()] {
                let getter = spawn { try await queue.get() }
                await turns(2)
                try queue.putNoWait(1)
                let joiner = spawn { try await queue.join() }
                _ = try await getter.value
                await turns(2)
                #expect(!joiner.isDone)
                queue.taskDone()
                try await joiner.value
            }
        }
    }

    @Test("a put after the last taskDone does not keep join waiting")
    func joinIsNotHeldUpByLaterItems() async throws {
        try await onLoop { _ in
            let queue = Queue<Int>()
            try queue.putNoWait(1)
            let joiner = spawn { try await queue.join() }
            await turns(2)
            queue.taskDone()
            try queue.putNoWait(2)
            try await joiner.value
        }
    }

    @Test("join is cancellable")
    func joinCancelled() async throws {
        try await onLoop { _ in
            let queue = Queue<Int>()
            try queue.putNoWait(1)
            let joiner = spawn { try await queue.join() }
            await turns(2)
            joiner.cancel()
            await #expect(throws: CancellationError.self) { try await joiner.value }
        }
    }

    @Test("one taskDone too many traps with a sentence")
    func taskDoneTooOften() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try EventLoop().runBody {
                let queue = Queue<Int>()
                try queue.putNoWait(1)
                queue.taskDone()
                queue.taskDone()
            }
        }
        #expect(result.sentence.contains("Queue.taskDone() was called more often than items were put"))
    }

    // MARK: - Shutdown

    @Test("after a shutdown putting fails at once, and getting once it is empty")
    func shutdown() async throws {
        try await onLoop { _ in
            let queue = Queue<Int>()
            try queue.putNoWait(1)
            try queue.putNoWait(2)
            #expect(!queue.isShutDown)
            queue.shutdown()
            queue.shutdown()
            #expect(queue.isShutDown)
            await #expect(throws: QueueShutDown()) { try await queue.put(3) }
            #expect(throws: QueueShutDown()) { try queue.putNoWait(3) }
            let first = try await queue.get()
            let second = try queue.getNoWait()
            #expect([first, second] == [1, 2])
            await #expect(throws: QueueShutDown()) { try await queue.get() }
            #expect(throws: QueueShutDown()) { try queue.getNoWait() }
        }
    }

    @Test("a shutdown ends the wait of every task that waits for an item")
    func shutdownWakesGetters() async throws {
        try await onLoop { _ in
            for immediate in [false, true] {
                let queue = Queue<Int>()
                let getters = (0..<3).map { _ in spawn { try await queue.get() } }
                await turns(2)
                queue.shutdown(immediate: immediate)
                for getter in getters { await #expect(throws: QueueShutDown()) { try await getter.value } }
            }
        }
    }

    @Test("a shutdown ends the wait of every task that waits for space, and its item is not put")
    func shutdownWakesPutters() async throws {
        try await onLoop { _ in
            let queue = Queue<Int>(maxSize: 1)
            try queue.putNoWait(0)
            let putters = (1...3).map { number in spawn { try await queue.put(number) } }
            await turns(2)
            queue.shutdown()
            // Space does not revive them.
            #expect(try queue.getNoWait() == 0)
            for putter in putters { await #expect(throws: QueueShutDown()) { try await putter.value } }
            #expect(queue.isEmpty)
        }
    }

    @Test("a shutdown spares the item that a task was given, and the one that had gone in")
    func shutdownAfterHandOver() async throws {
        try await onLoop { _ in
            for immediate in [false, true] {
                let queue = Queue<Int>()
                let getter = spawn { try await queue.get() }
                let waiting = spawn { try await queue.get() }
                await turns(2)
                try queue.putNoWait(1)
                queue.shutdown(immediate: immediate)
                let item = try await getter.value
                #expect(item == 1)
                await #expect(throws: QueueShutDown()) { try await waiting.value }
            }
            let queue = Queue<Int>(maxSize: 1)
            try queue.putNoWait(1)
            let putter = spawn { try await queue.put(2) }
            await turns(2)
            #expect(try queue.getNoWait() == 1)
            queue.shutdown()
            try await putter.value
            #expect(try queue.getNoWait() == 2)
        }
    }

    @Test("an immediate shutdown drops the items, and join waits for those that were taken")
    func immediateShutdown() async throws {
        try await onLoop { _ in
            let alive = Counter()
            let queue = Queue<Tracked>()
            for _ in 0..<5 { try queue.putNoWait(Tracked(alive)) }
            _ = try queue.getNoWait()
            _ = try queue.getNoWait()
            let joiner = spawn { try await queue.join() }
            await turns(2)
            queue.shutdown(immediate: true)
            #expect(queue.isEmpty && alive.value == 0)
            await #expect(throws: QueueShutDown()) { try await queue.get() }
            queue.taskDone()
            await turns(3)
            #expect(!joiner.isDone)
            queue.taskDone()
            try await joiner.value
        }
    }

    @Test("an immediate shutdown after an ordinary one drops the items, and wakes join at zero")
    func immediateShutdownLater() async throws {
        try await onLoop { _ in
            let queue = Queue<Int>()
            for number in 0..<5 { try queue.putNoWait(number) }
            let joiner = spawn { try await queue.join() }
            await turns(2)
            queue.shutdown()
            await turns(2)
            #expect(queue.count == 5 && !joiner.isDone)
            queue.shutdown(immediate: true)
            #expect(queue.isEmpty)
            try await joiner.value
        }
    }

    // MARK: - Iteration

    @Test("iteration ends when the queue is shut down and empty")
    func iteration() async throws {
        try await onLoop { _ in
            let queue = Queue<Int>(maxSize: 3)
            spawn {
                for number in 0..<20 { try await queue.put(number) }
                queue.shutdown()
            }
            var items: [Int] = []
            for try await item in queue { items.append(item) }
            #expect(items == (0..<20).map { $0 })
        }
    }

    @Test("several tasks iterate one queue, and each item goes to one of them")
    func severalIterators() async throws {
        try await onLoop { _ in
            let queue = Queue<Int>(maxSize: 5)
            let items = Recorder<Int>()
            let workers = (0..<4).map { _ in
                spawn {
                    for try await item in queue {
                        items.add(item)
                        await turns(item % 3)
                        queue.taskDone()
                    }
                }
            }
            for number in 0..<100 { try await queue.put(number) }
            try await queue.join()
            queue.shutdown()
            for worker in workers { try await worker.value }
            #expect(items.all.sorted() == (0..<100).map { $0 })
        }
    }

    @Test("iteration is cancellable")
    func iterationCancelled() async throws {
        try await onLoop { _ in
            let queue = Queue<Int>()
            let worker = spawn { for try await _ in queue {} }
            await turns(2)
            worker.cancel()
            await #expect(throws: CancellationError.self) { try await worker.value }
        }
    }
}
