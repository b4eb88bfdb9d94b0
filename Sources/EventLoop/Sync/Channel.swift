/// Elements on their way from tasks that send to tasks that receive, until the channel is finished.
///
///     let channel = Channel<Line>()
///     spawn {
///         for line in lines { try await channel.send(line) }
///         channel.finish()
///     }
///     for try await line in channel { print(line) }
///
/// Without a capacity it is a rendezvous: ``send(_:)`` returns when a receiver has been given the element, so
/// that a sender is never ahead of its receivers. With a capacity, that many elements may lie in it.
///
/// What sets it apart from a ``Queue``: it has an end, which may be an error and which receivers see as the
/// end of a sequence; by default nothing lies in it; and it keeps no account of finished work. Several tasks
/// may send and several receive, each element goes to one of them, and both sides are served first come,
/// first served.
///
/// Bound to its loop's thread; use from another traps. To send from elsewhere, call ``trySend(_:)`` in
/// ``EventLoop/callSoonThreadSafe(fileID:line:_:)``.
public final class Channel<Element>: AsyncSequence {
    private let exchange: Exchange<Element>
    private var failure: (any Error)?

    private var engine: Engine { exchange.engine }

    /// - Parameters:
    ///   - capacity: How many elements may lie in it before ``send(_:)`` waits; none means that it waits for
    ///     a receiver.
    ///   - loop: The loop to bind it to; nil means the one that runs on this thread.
    /// - Precondition: A loop runs on this thread, or `loop` is given. `capacity` is not negative.
    public init(capacity: Int = 0, on loop: EventLoop? = nil) {
        precondition(capacity >= 0, "A channel's capacity is a number of elements: zero or more.")
        let loop = loop ?? EventLoop.current(for: "Channel()")
        exchange = Exchange(engine: loop.engine, capacity: capacity, store: Ring())
    }

    /// How many elements may lie in it before ``send(_:)`` waits.
    public var capacity: Int { exchange.capacity }

    /// How many elements lie in it. Those that woken receivers were given do not count any more, and those
    /// of waiting senders not yet.
    public var count: Int {
        engine.assertMayBeUsedHere("Channel.count")
        return exchange.count
    }

    /// Whether it was finished. Elements may still lie in it.
    public var isFinished: Bool {
        engine.assertMayBeUsedHere("Channel.isFinished")
        return exchange.isClosed
    }

    // MARK: - Sending

    /// Sends an element, once there is a receiver or space for it.
    ///
    /// When the task is cancelled while it waits, the element is not sent.
    ///
    /// - Throws: ``ChannelFinished`` when the channel is finished, or is while the task waits: the element is
    ///   not sent. `CancellationError`.
    public func send(_ element: Element) async throws {
        engine.assertOnLoop("Channel.send")
        guard try await exchange.put(element) else { throw ChannelFinished() }
    }

    /// Sends an element without waiting, if a receiver waits for it or there is space.
    ///
    /// - Returns: Whether it was sent.
    /// - Throws: ``ChannelFinished``.
    public func trySend(_ element: Element) throws -> Bool {
        engine.assertMayBeUsedHere("Channel.trySend")
        switch exchange.tryPut(element) {
        case .accepted: return true
        case .full: return false
        case .closed: throw ChannelFinished()
        }
    }

    // MARK: - Receiving

    /// Takes the next element, once there is one.
    ///
    /// A task that is cancelled while it waits leaves the elements to the others. One that was given an
    /// element first returns it, and finds itself cancelled at its next await.
    ///
    /// - Returns: The element; nil once the channel is finished and empty.
    /// - Throws: The error that the channel was finished with, once it is empty, to every receiver.
    ///   `CancellationError`.
    public func receive() async throws -> Element? {
        engine.assertOnLoop("Channel.receive")
        if let element = try await exchange.take() { return element }
        if let failure { throw failure }
        return nil
    }

    /// Takes the next element without waiting: one that lies there, or that a sender waits with.
    ///
    /// - Returns: The element; nil when there is none, now or, if ``isFinished``, for good.
    /// - Throws: The error that the channel was finished with, once it is empty.
    public func tryReceive() throws -> Element? {
        engine.assertMayBeUsedHere("Channel.tryReceive")
        if let element = exchange.tryTake() { return element }
        if let failure { throw failure }
        return nil
    }

    // MARK: - The end

    /// Ends the channel. Elements that lie in it can still be received, then receivers get nil; sending
    /// fails from now on, also for tasks that wait to send. Has no effect when it is finished already.
    public func finish() {
        finish(with: nil)
    }

    /// Ends the channel with an error: receivers get it when the elements that lie in it are gone. Otherwise
    /// like ``finish()``.
    public func finish(throwing error: any Error) {
        finish(with: error)
    }

    private func finish(with error: (any Error)?) {
        engine.assertMayBeUsedHere("Channel.finish")
        guard !exchange.isClosed else { return }
        failure = error
        exchange.close()
    }

    // MARK: - Iterating

    /// Receives elements until the end. Several tasks may iterate one channel, each with an iterator of its
    /// own: each element goes to one of them.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let channel: Channel

        /// The next element, as by ``Channel/receive()``.
        public mutating func next() async throws -> Element? {
            try await channel.receive()
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> Element? {
            try await next()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(channel: self)
    }
}

/// What sending into a ``Channel`` or a ``Broadcast`` throws once it is finished.
public struct ChannelFinished: Error, Hashable, CustomStringConvertible {
    /// For code that offers the like, and for comparing.
    public init() {}

    public var description: String { "The channel is finished: nothing can be sent any more." }
}

// Every use checks the thread, so handing channels around among a loop's tasks is safe.
extension Channel: @unchecked Sendable where Element: Sendable {}
