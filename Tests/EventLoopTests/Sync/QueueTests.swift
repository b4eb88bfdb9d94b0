import TestSupport
import Testing

@testable import EventLoop

@Suite("Queue", .timeLimit(.minutes(5)))
struct QueueTests {
    // MARK: - Without waiting

    @Test("items come out in the order in which they went in")
    func order() async throws {
        try await onLoop { _ in
            let queue = Queue<Int>()
            for number in 0..<200 { try await queue.put(number) }
            for number in 0..<200 {
                let item = try await queue.get()
                #expect(item == number)
            }
        }
    }

    @Test("count, isEmpty, isFull and maxSize tell what it holds")
    func facts() async throws {
        try await onLoop { _ in
            let queue = Queue<Int>(maxSize: 2)
            #expect(queue.maxSize == 2 && queue.count == 0 && queue.isEmpty && !queue.isFull)
            try queue.putNoWait(1)
            #expect(queue.count == 1 && !queue.isEmpty && !queue.isFull)
            try queue.putNoWait(2)
            #expect(queue.count == 2 && queue.isFull)
            let unbounded = Queue<Int>()
            #expect(unbounded.maxSize == nil && !unbounded.isFull)
        }
    }

    @Test("putNoWait fails when it is full, getNoWait when it is empty")
    func noWait() async throws {
        try await onLoop { _ in
            let queue = Queue<Int>(maxSize: 1)
            #expect(throws: QueueEmpty()) { try queue.getNoWait() }
            try queue.putNoWait(1)
            #expect(throws: QueueFull()) { try queue.putNoWait(2) }
            #expect(try queue.getNoWait() == 1)
            #expect(throws: QueueEmpty()) { try queue.getNoWait() }
        }
    }

    @Test("it can be made and filled before its loop runs")
    func beforeRun() async throws {
        let item = try await onThread {
            let loop = try EventLoop()
            let queue = Queue<Int>(on: loop)
            try queue.putNoWait(3)
            return try loop.runBody { try await queue.get() }
        }
        #expect(item == 3)
    }

    @Test("a task that finds everything at once lets the others go first now and then")
    func readyWorkStarvesNobody() async throws {
        try await onLoop { _ in
            let queue = Queue<Int>()
            let busy = spawn {
                while true {
                    try await queue.put(1)
                    _ = try await queue.get()
                }
            }
            await turns(5)
            busy.cancel()
            await #expect(throws: CancellationError.self) { try await busy.value }
            #expect(queue.count <= 1)
        }
    }

    // MARK: - Waiting for an item

    @Test("get waits for an item")
    func getWaits() async throws {
        try await onLoop { loop in
            let queue = Queue<Int>()
            loop.callSoon { try! queue.putNoWait(7) }
            let item = try await queue.get()
            #expect(item == 7)
        }
    }

    @Test("tasks that wait get their items in the order in which they came")
    func gettersInOrder() async throws {
        try await onLoop { _ in
            let queue = Queue<Int>()
            let got = Recorder<[Int]>()
            for number in 0..<100 { spawn { got.add([number, try await queue.get()]) } }
            await turns(2)
            for number in 0..<100 { try queue.putNoWait(number) }
            await turns(2)
            #expect(got.all == (0..<100).map { [$0, $0] })
        }
    }

    @Test("one put wakes one task")
    func onePutWakesOneGetter() async throws {
        try await onLoop { _ in
            let queue = Queue<Int>()
            let getters = (0..<3).map { _ in spawn { try await queue.get() } }
            await turns(2)
            for number in 0..<3 {
                try queue.putNoWait(number)
                await turns(5)
                #expect(getters.map(\.isDone) == (0..<3).map { $0 <= number })
            }
        }
    }

    @Test("an item that was put for a waiting task cannot be taken by another")
    func handedOverItemIsNotBarged() async throws {
        try await onLoop { _ in
            let queue = Queue<Int>()
            let getter = spawn { try await queue.get() }
            await turns(2)
            try queue.putNoWait(1)
            #expect(queue.isEmpty)
            #expect(throws: QueueEmpty()) { try queue.getNoWait() }
            try queue.putNoWait(2)
            let second = try await queue.get()
            let first = try await getter.value
            #expect([first, second] == [1, 2])
        }
    }

    @Test("a task that is cancelled while it waits leaves the item to the next")
    func cancelledGetterLeavesTheItem() async throws {
        try await onLoop { _ in
            let queue = Queue<Int>()
            let first = spawn { try await queue.get() }
            let second = spawn { try await queue.get() }
            await turns(2)
            first.cancel()
            try queue.putNoWait(1)
            await #expect(throws: CancellationError.self) { try await first.value }
            let item = try await second.value
            #expect(item == 1)
        }
    }

    @Test("a task that is cancelled after it was given an item returns it")
    func getterCancelledTooLateKeepsItsItem() async throws {
        try await onLoop { _ in
            let queue = Queue<Int>()
            let getter = spawn { try await queue.get() }
            await turns(2)
            try queue.putNoWait(1)
            getter.cancel()
            let item = try await getter.value
            #expect(item == 1)
            #expect(queue.isEmpty)
        }
    }

    @Test("a cancellation on another thread and a put: the item is with the task, or still there")
    func cancelledElsewhere() async throws {
        try await onLoop { loop in
            for round in 0..<60 {
                let queue = Queue<Int>()
                let getter = Task(executorPreference: loop.executor) { try await queue.get() }
                await turns(2)
                // The task must not outlive the loop, whose executor it holds.
                let holder = Holder(getter)
                let canceller = Thread {
                    holder.held?.cancel()
                    holder.held = nil
                }
                await turns(round % 6)
                try queue.putNoWait(1)
                let got = await getter.result
                switch got {
                case .success(let item): #expect(item == 1 && queue.isEmpty)
                case .failure: #expect(queue.count == 1)
                }
                try await canceller.value
            }
        }
    }

    // MARK: - Waiting for space

    @Test("put waits for space, and the item goes in as soon as there is some")
    func putWaits() async throws {
        try await onLoop { _ in
            let queue = Queue<Int>(maxSize: 1)
            try await queue.put(1)
            let putter = spawn { try await queue.put(2) }
            await turns(3)
            #expect(!putter.isDone)
            #expect(try queue.getNoWait() == 1)
            // In the same step: nobody can get in between.
            #expect(queue.isFull)
            #expect(throws: QueueFull()) { try queue.putNoWait(3) }
            #expect(try queue.getNoWait() == 2)
            try await putter.value
        }
    }

    @Test("the items of waiting tasks go in in the order in which the tasks came")
    func puttersInOrder() async throws {
        try await onLoop { _ in
            let queue = Queue<Int>(maxSize: 2)
            for number in 0..<50 { spawn { try await queue.put(number) } }
            await turns(2)
            #expect(queue.count == 2)
            for number in 0..<50 {
                let item = try await queue.get()
                #expect(item == number)
            }
            await turns(2)
        }
    }

    @Test("the item of a task that is cancelled while it waits is not put, and is let go")
    func cancelledPutterTakesItsItemBack() async throws {
        try await onLoop { _ in
            let alive = Counter()
            let queue = Queue<Tracked>(maxSize: 1)
            try await queue.put(Tracked(alive))
            let first = spawn { try await queue.put(Tracked(alive)) }
            let second = spawn { try await queue.put(Tracked(alive)) }
            await turns(2)
            #expect(alive.value == 3)
            first.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
            #expect(alive.value == 2)
            _ = try queue.getNoWait()
            try await second.value
            #expect(queue.count == 1)
            _ = try queue.getNoWait()
            #expect(queue.isEmpty && alive.value == 0)
        }
    }

    @Test("space that comes in the step of the cancellation goes to the next")
    func cancelledPutterLeavesTheSpace() async throws {
        try await onLoop { _ in
            let queue = Queue<Int>(maxSize: 1)
            try queue.putNoWait(1)
            let first = spawn { try await queue.put(2) }
            let second = spawn { try await queue.put(3) }
            await turns(2)
            first.cancel()
            #expect(try queue.getNoWait() == 1)
            #expect(try queue.getNoWait() == 3)
            await #expect(throws: CancellationError.self) { try await first.value }
            try await second.value
            #expect(queue.isEmpty)
        }
    }

    @Test("a task that is cancelled after its item went in has put it")
    func putterCancelledTooLateHasPut() async throws {
        try await onLoop { _ in
            let queue = Queue<Int>(maxSize: 1)
            try queue.putNoWait(1)
            let putter = spawn { try await queue.put(2) }
            await turns(2)
            #expect(try queue.getNoWait() == 1)
            putter.cancel()
            try await putter.value
            #expect(try queue.getNoWait() == 2)
        }
    }

    // MARK: - Its life

    @Test("items that are left go with the queue")
    func leftItemsAreReleased() async throws {
        try await onLoop { _ in
            let alive = Counter()
            weak var queue: Queue<Tracked>?
            do {
                let made = Queue<Tracked>()
                queue = made
                for _ in 0..<10 { try made.putNoWait(Tracked(alive)) }
                let getter = spawn { _ = try await made.get() }
                try await getter.value
                #expect(alive.value == 9)
            }
            #expect(queue == nil)
            #expect(alive.value == 0)
        }
    }

    @Test("a queue outside a loop traps with a sentence")
    func outside() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            _ = Queue<Int>()
        }
        #expect(result.sentence.contains("Queue() was called outside a running event loop"))
    }

    @Test("a queue that holds nothing traps with a sentence")
    func maxSizeZero() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try EventLoop().runBody { _ = Queue<Int>(maxSize: 0) }
        }
        #expect(result.sentence.contains("A queue holds at least one item"))
    }

    @Test("use on a wrong thread traps with a sentence")
    func wrongThread() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { _ in
                let queue = Queue<Int>()
                try await onThread { try queue.putNoWait(1) }
            }
        }
        #expect(result.sentence.contains("Queue.putNoWait was called while another thread runs"))
    }

    @Test("waiting on a wrong thread traps with a sentence")
    func wrongThreadAsync() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            let queue = Queue<Int>(on: try EventLoop())
            _ = try await queue.get()
        }
        #expect(result.sentence.contains("Queue.get was called outside its event loop's thread"))
    }
}
