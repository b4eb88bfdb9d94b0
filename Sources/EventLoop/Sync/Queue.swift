/// Items on their way between tasks, first in, first out; asyncio's Queue.
///
///     let queue = Queue<Job>(maxSize: 100)
///     for _ in 0..<4 {
///         spawn {
///             for try await job in queue {
///                 await job.run()
///                 queue.taskDone()
///             }
///         }
///     }
///     for job in jobs { try await queue.put(job) }
///     try await queue.join()
///     queue.shutdown()
///
/// Tasks that wait are served first come, first served, on both sides, and nobody comes in between: an item
/// that is put while tasks wait in ``get()`` belongs to the first of them at once, and the item of a task
/// that waits in ``put(_:)`` goes in as soon as there is space. (asyncio wakes the task, and lets whoever
/// comes first take the item or the space.) No item is lost or handed out twice, whoever is cancelled.
///
/// ``LIFOQueue`` and ``PriorityQueue`` are queues of other orders. A ``Channel`` has an end and no
/// bookkeeping of finished work; a ``Broadcast`` gives every item to everybody.
///
/// Bound to its loop's thread; use from another traps. To put from elsewhere, call ``putNoWait(_:)`` in
/// ``EventLoop/callSoonThreadSafe(fileID:line:_:)``.
public class Queue<Element>: AsyncSequence {
    private let exchange: Exchange<Element>
    private let joiners = WaitQueue(for: .finishedItems)
    /// How many of the items that came in were reported done, or dropped by a shutdown.
    private var finished = 0

    private var engine: Engine { exchange.engine }
    private var unfinished: Int { exchange.accepted - finished }

    /// - Parameters:
    ///   - maxSize: How many items it holds before ``put(_:)`` waits; nil means any number, as zero does in
    ///     asyncio.
    ///   - loop: The loop to bind it to; nil means the one that runs on this thread.
    /// - Precondition: A loop runs on this thread, or `loop` is given. `maxSize` is at least 1.
    public convenience init(maxSize: Int? = nil, on loop: EventLoop? = nil) {
        self.init(maxSize, loop ?? EventLoop.current(for: "Queue()"), Ring())
    }

    init(_ maxSize: Int?, _ loop: EventLoop, _ store: some ItemStore<Element>) {
        if let maxSize {
            precondition(
                maxSize > 0, "A queue holds at least one item: leave maxSize out to hold any number.")
        }
        exchange = Exchange(engine: loop.engine, capacity: maxSize ?? .max, store: store)
    }

    // MARK: - What it holds

    /// How many items it holds. Those that woken tasks were given do not count any more.
    public final var count: Int {
        engine.assertMayBeUsedHere("Queue.count")
        return exchange.count
    }

    /// Whether ``getNoWait()`` would find nothing.
    public final var isEmpty: Bool { count == 0 }

    /// Whether ``putNoWait(_:)`` would find no space; false for a queue without a maximum.
    public final var isFull: Bool { count >= exchange.capacity }

    /// How many items it holds before ``put(_:)`` waits; nil when there is no maximum.
    public final var maxSize: Int? { exchange.capacity == .max ? nil : exchange.capacity }

    /// Whether ``shutdown(immediate:)`` was called.
    public final var isShutDown: Bool {
        engine.assertMayBeUsedHere("Queue.isShutDown")
        return exchange.isClosed
    }

    // MARK: - Putting

    /// Puts an item in, once there is space for it.
    ///
    /// When the task is cancelled while it waits, the item is not put.
    ///
    /// - Throws: ``QueueShutDown`` when the queue is shut down, or is while the task waits: the item is not
    ///   put. `CancellationError`.
    public final func put(_ item: Element) async throws {
        engine.assertOnLoop("Queue.put")
        guard try await exchange.put(item) else { throw QueueShutDown() }
    }

    /// Puts an item in without waiting.
    ///
    /// - Throws: ``QueueFull``, ``QueueShutDown``; the item is not put.
    public final func putNoWait(_ item: Element) throws {
        engine.assertMayBeUsedHere("Queue.putNoWait")
        switch exchange.tryPut(item) {
        case .accepted: break
        case .full: throw QueueFull()
        case .closed: throw QueueShutDown()
        }
    }

    // MARK: - Getting

    /// Takes the next item, once there is one.
    ///
    /// A task that is cancelled while it waits leaves the items to the others. One that was given an item
    /// first returns it, and finds itself cancelled at its next await.
    ///
    /// - Throws: ``QueueShutDown`` when the queue is shut down and empty, or is while the task waits.
    ///   `CancellationError`.
    public final func get() async throws -> Element {
        engine.assertOnLoop("Queue.get")
        guard let item = try await exchange.take() else { throw QueueShutDown() }
        return item
    }

    /// Takes the next item without waiting.
    ///
    /// - Throws: ``QueueEmpty``; ``QueueShutDown`` when the queue is empty and shut down.
    public final func getNoWait() throws -> Element {
        engine.assertMayBeUsedHere("Queue.getNoWait")
        if let item = exchange.tryTake() { return item }
        if exchange.isClosed { throw QueueShutDown() }
        throw QueueEmpty()
    }

    // MARK: - Finished work

    /// Says that the work on an item that was taken from the queue is done. ``join()`` counts these.
    ///
    /// Traps when called more often than items were put.
    public final func taskDone() {
        engine.assertMayBeUsedHere("Queue.taskDone")
        precondition(
            unfinished > 0,
            "Queue.taskDone() was called more often than items were put: call it once for each.")
        finish(1)
    }

    /// Waits until each item that was put has been taken and reported by ``taskDone()``; returns at once when
    /// there is none. Items that are put while it waits count as well.
    ///
    /// - Throws: `CancellationError`.
    public final func join() async throws {
        engine.assertOnLoop("Queue.join")
        try await engine.spendBudget()
        guard unfinished > 0 else { return }
        if await engine.suspend(in: joiners) == .cancelled { throw CancellationError() }
    }

    private func finish(_ count: Int) {
        finished += count
        if unfinished == 0 { engine.wakeAll(in: joiners) }
    }

    // MARK: - The end

    /// Lets no more items in. From now on putting fails, also for tasks that wait to put. What is in the
    /// queue can still be taken; then taking fails, and so it does for tasks that wait. Iteration ends.
    ///
    /// Of further calls, only the first immediate one has an effect.
    ///
    /// - Parameter immediate: Drops the items that are in the queue, and counts them as done, so that
    ///   ``join()`` waits only for those that were taken (as in asyncio). Items that woken tasks were given
    ///   stay theirs.
    public final func shutdown(immediate: Bool = false) {
        engine.assertMayBeUsedHere("Queue.shutdown")
        exchange.close()
        guard immediate, exchange.count > 0 else { return }
        finish(exchange.count)
        exchange.removeAll()
    }

    // MARK: - Iterating

    /// Takes items until the queue is shut down and empty. Several tasks may iterate one queue, each with an
    /// iterator of its own: each item goes to one of them.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let queue: Queue

        /// The next item, as by ``Queue/get()``; nil once the queue is shut down and empty.
        ///
        /// - Throws: `CancellationError`.
        public mutating func next() async throws -> Element? {
            queue.engine.assertOnLoop("Queue's iteration")
            return try await queue.exchange.take()
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> Element? {
            try await next()
        }
    }

    public final func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(queue: self)
    }
}

/// What ``Queue/putNoWait(_:)`` throws when there is no space.
public struct QueueFull: Error, Hashable, CustomStringConvertible {
    /// For code that offers the like, and for comparing.
    public init() {}

    public var description: String { "The queue is full." }
}

/// What ``Queue/getNoWait()`` throws when there is no item.
public struct QueueEmpty: Error, Hashable, CustomStringConvertible {
    /// For code that offers the like, and for comparing.
    public init() {}

    public var description: String { "The queue is empty." }
}

/// What putting into a queue throws once it is shut down, and taking from it once it is empty, too.
public struct QueueShutDown: Error, Hashable, CustomStringConvertible {
    /// For code that offers the like, and for comparing.
    public init() {}

    public var description: String { "The queue is shut down." }
}

// Every use checks the thread, so handing queues around among a loop's tasks is safe.
extension Queue: @unchecked Sendable where Element: Sendable {}
