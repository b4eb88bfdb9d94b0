/// Elements for everybody: each subscriber gets every element that is sent after it subscribed.
///
///     let prices = Broadcast<Price>()
///     let subscription = prices.subscribe(buffer: 64, whenFull: .dropOldest)
///     spawn {
///         for try await price in subscription {
///             if subscription.missed > 0 { print("\(subscription.missed) prices were too many") }
///             show(price)
///         }
///     }
///     try await prices.send(price)
///
/// An element goes to all subscribers at one moment, and in one order for all of them. When there is no
/// subscriber, it goes to nobody.
///
/// When the last reference to it is gone, it finishes: nobody could send any more.
///
/// Bound to its loop's thread; use from another traps. To send from elsewhere, call ``trySend(_:)`` in
/// ``EventLoop/callSoonThreadSafe(fileID:line:_:)``.
public final class Broadcast<Element> {
    /// What becomes of an element for which a subscriber has no space.
    public enum FullPolicy: Sendable, Hashable {
        /// Whoever sends waits for the subscriber, and all the others with it.
        case wait
        /// The oldest element that lies in the subscriber's buffer makes room, so that nobody waits for it.
        /// ``Subscription/missed`` tells it.
        case dropOldest
    }

    private let core: BroadcastCore<Element>

    /// - Parameter loop: The loop to bind it to; nil means the one that runs on this thread.
    /// - Precondition: A loop runs on this thread, or `loop` is given.
    public init(on loop: EventLoop? = nil) {
        core = BroadcastCore(engine: (loop ?? EventLoop.current(for: "Broadcast()")).engine)
    }

    deinit {
        // The last reference may be dropped on any thread.
        nonisolated(unsafe) let core = core
        core.engine.performWhereverItRuns { core.finish() }
    }

    /// Begins a subscription, which gets every element from here on, until its last reference is gone, or
    /// ``Subscription/close()``.
    ///
    /// - Parameters:
    ///   - buffer: How many elements may lie there until the subscriber takes them. One that drops the oldest
    ///     holds the latest.
    ///   - policy: What becomes of an element that finds the buffer full.
    /// - Returns: The subscription; one that is at its end, if the broadcast is finished.
    /// - Precondition: `buffer` is at least 1.
    public func subscribe(buffer: Int = 16, whenFull policy: FullPolicy = .wait) -> Subscription {
        core.engine.assertMayBeUsedHere("Broadcast.subscribe")
        precondition(buffer > 0, "A subscription's buffer holds at least one element.")
        return Subscription(to: core, core.addMailbox(capacity: buffer, dropsOldest: policy == .dropOldest))
    }

    /// How many subscriptions there are: none once it is finished.
    public var subscriberCount: Int {
        core.engine.assertMayBeUsedHere("Broadcast.subscriberCount")
        return core.subscriberCount
    }

    /// Sends an element to all subscribers, once each that senders wait for has space. Tasks that wait to
    /// send do so in their order.
    ///
    /// When the task is cancelled while it waits, the element goes to nobody.
    ///
    /// - Throws: ``ChannelFinished`` when the broadcast is finished, or is while the task waits: the element
    ///   goes to nobody. `CancellationError`.
    public func send(_ element: Element) async throws {
        core.engine.assertOnLoop("Broadcast.send")
        try await core.send(element)
    }

    /// Sends an element to all subscribers without waiting, if each that senders wait for has space.
    ///
    /// - Returns: Whether it was sent. If not, nobody has got it.
    /// - Throws: ``ChannelFinished``.
    public func trySend(_ element: Element) throws -> Bool {
        core.engine.assertMayBeUsedHere("Broadcast.trySend")
        return try core.trySend(element)
    }

    /// Ends it: subscribers get what lies in their buffers, then nil. Sending fails from now on, also for
    /// tasks that wait to send. Has no effect when it is finished already.
    public func finish() {
        core.engine.assertMayBeUsedHere("Broadcast.finish")
        core.finish()
    }
}

extension Broadcast {
    /// One subscriber's elements, as a sequence that one task at a time iterates.
    ///
    /// Bound to its loop's thread; use from another traps. Dropping it, from any thread, ends it.
    public final class Subscription: AsyncSequence {
        private let core: BroadcastCore<Element>
        private let mailbox: Mailbox<Element>
        private var expected: Int
        private var missedBefore = 0

        fileprivate init(to core: BroadcastCore<Element>, _ mailbox: Mailbox<Element>) {
            self.core = core
            self.mailbox = mailbox
            expected = core.sent
        }

        deinit {
            nonisolated(unsafe) let (core, mailbox) = (core, mailbox)
            core.engine.performWhereverItRuns { core.remove(mailbox) }
        }

        /// How many elements were dropped between the last element that was taken and the one before. Not
        /// zero only for ``Broadcast/FullPolicy/dropOldest``.
        public var missed: Int {
            core.engine.assertMayBeUsedHere("Subscription.missed")
            return missedBefore
        }

        /// Takes the next element, once there is one.
        ///
        /// When the task is cancelled while it waits, it takes none.
        ///
        /// - Returns: The element; nil once the broadcast is finished and the buffer empty, and when the
        ///   subscription is closed.
        /// - Throws: `CancellationError`.
        public func next() async throws -> Element? {
            core.engine.assertOnLoop("Subscription.next")
            guard let numbered = try await mailbox.exchange.take() else { return nil }
            core.noteSpace(in: mailbox)
            missedBefore = numbered.number - expected
            expected = numbered.number + 1
            return numbered.element
        }

        /// Ends the subscription, drops what lies in its buffer, and lets go on who waits for its space.
        public func close() {
            core.engine.assertMayBeUsedHere("Subscription.close")
            core.remove(mailbox)
        }

        public struct AsyncIterator: AsyncIteratorProtocol {
            fileprivate let subscription: Subscription

            /// The next element, as by ``Subscription/next()``.
            public mutating func next() async throws -> Element? {
                try await subscription.next()
            }

            public mutating func next(isolation actor: isolated (any Actor)?) async throws -> Element? {
                try await next()
            }
        }

        public func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator(subscription: self)
        }
    }
}

// Every use checks the thread, so handing them around among a loop's tasks is safe.
extension Broadcast: @unchecked Sendable where Element: Sendable {}
extension Broadcast.Subscription: @unchecked Sendable where Element: Sendable {}
