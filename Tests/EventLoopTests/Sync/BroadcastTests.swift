import TestSupport
import Testing

@testable import EventLoop

@Suite("Broadcast", .timeLimit(.minutes(5)))
struct BroadcastTests {
    // MARK: - Sending

    @Test("each subscriber gets every element that is sent after it subscribed, in order")
    func everyElement() async throws {
        try await onLoop { _ in
            let broadcast = Broadcast<Int>()
            try await broadcast.send(0)
            let early = broadcast.subscribe()
            try await broadcast.send(1)
            let late = broadcast.subscribe()
            try await broadcast.send(2)
            #expect(broadcast.subscriberCount == 2)
            broadcast.finish()
            let (first, second) = (try await rest(of: early), try await rest(of: late))
            #expect(first == [1, 2])
            #expect(second == [2])
        }
    }

    @Test("subscribers that wait get the element, in the order of their subscriptions")
    func waitingSubscribers() async throws {
        try await onLoop { _ in
            let broadcast = Broadcast<Int>()
            let got = Recorder<[Int]>()
            for number in 0..<20 {
                let subscription = broadcast.subscribe(buffer: 1)
                spawn { got.add([number, try await subscription.next() ?? -1]) }
            }
            await turns(2)
            try await broadcast.send(7)
            await turns(2)
            #expect(got.all == (0..<20).map { [$0, 7] })
            #expect(broadcast.subscriberCount == 0)
        }
    }

    @Test("a sender waits for the slowest, and until then nobody gets the element")
    func sendWaitsForTheSlowest() async throws {
        try await onLoop { _ in
            let broadcast = Broadcast<Int>()
            let slow = broadcast.subscribe(buffer: 1)
            let quick = broadcast.subscribe(buffer: 10)
            let lossy = broadcast.subscribe(buffer: 1, whenFull: .dropOldest)
            try await broadcast.send(1)
            #expect(try !broadcast.trySend(2))
            let senders = [2, 3].map { number in spawn { try await broadcast.send(number) } }
            await turns(3)
            #expect(!senders[0].isDone)
            var taken = [try await quick.next(), try await lossy.next()]
            #expect(taken == [1, 1])
            await turns(3)
            #expect(!senders[0].isDone)
            taken = [try await slow.next(), try await quick.next(), try await lossy.next()]
            #expect(taken == [1, 2, 2])
            try await senders[0].value
            #expect(!senders[1].isDone)
            taken = [try await slow.next(), try await slow.next()]
            #expect(taken == [2, 3])
            try await senders[1].value
        }
    }

    @Test("the element of a sender that is cancelled while it waits goes to nobody")
    func cancelledSender() async throws {
        try await onLoop { _ in
            let alive = Counter()
            let broadcast = Broadcast<Tracked>()
            let subscription = broadcast.subscribe(buffer: 1)
            let quick = broadcast.subscribe()
            try await broadcast.send(Tracked(alive))
            let sender = spawn { try await broadcast.send(Tracked(alive)) }
            await turns(2)
            sender.cancel()
            await #expect(throws: CancellationError.self) { try await sender.value }
            #expect(alive.value == 1)
            broadcast.finish()
            let counts = [try await rest(of: subscription).count, try await rest(of: quick).count]
            #expect(counts == [1, 1])
            #expect(alive.value == 0)
        }
    }

    @Test("without subscribers a send returns at once, and keeps nothing")
    func nobody() async throws {
        try await onLoop { _ in
            let alive = Counter()
            let broadcast = Broadcast<Tracked>()
            for _ in 0..<100 { try await broadcast.send(Tracked(alive)) }
            #expect(alive.value == 0)
        }
    }

    // MARK: - Subscribers that lag behind

    @Test("a subscriber that lags behind loses the oldest, and is told how many")
    func dropOldest() async throws {
        try await onLoop { _ in
            let broadcast = Broadcast<Int>()
            let subscription = broadcast.subscribe(buffer: 3, whenFull: .dropOldest)
            var taken: [[Int?]] = []
            for number in 0..<10 { try await broadcast.send(number) }
            taken.append([try await subscription.next(), subscription.missed])
            for number in 10..<12 { try await broadcast.send(number) }
            broadcast.finish()
            while let number = try await subscription.next() { taken.append([number, subscription.missed]) }
            #expect(taken == [[7, 7], [9, 1], [10, 0], [11, 0]])
        }
    }

    @Test("what is dropped before a woken subscriber goes on counts after the element that it was given")
    func missedAfterTheHandOver() async throws {
        try await onLoop { _ in
            let broadcast = Broadcast<Int>()
            let subscription = broadcast.subscribe(buffer: 2, whenFull: .dropOldest)
            let taken = Recorder<[Int]>()
            let subscriber = spawn {
                for try await number in subscription { taken.add([number, subscription.missed]) }
            }
            await turns(2)
            for number in 0..<6 { #expect(try broadcast.trySend(number)) }
            broadcast.finish()
            try await subscriber.value
            #expect(taken.all == [[0, 0], [4, 3], [5, 0]])
        }
    }

    @Test("an element whose deinit sends another finds all in order")
    func deinitSends() async throws {
        try await onLoop { _ in
            let broadcast = Broadcast<Parting>()
            let lossy = broadcast.subscribe(buffer: 1, whenFull: .dropOldest)
            let waited = broadcast.subscribe(buffer: 1)
            let refused = Counter()
            try await broadcast.send(
                Parting { [weak broadcast] in
                    // The one that pushed it out fills a buffer by now.
                    if (try? broadcast?.trySend(Parting {})) == false { refused.increment() }
                })
            _ = try await waited.next()
            try await broadcast.send(Parting {})
            #expect(refused.value == 1)
            withExtendedLifetime(lossy) {}
        }
    }

    // MARK: - Subscriptions that end

    @Test("a subscription that is closed ends, and lets go on who waited for its space")
    func closeLetsSendersGoOn() async throws {
        try await onLoop { _ in
            let broadcast = Broadcast<Int>()
            let slow = broadcast.subscribe(buffer: 1)
            let other = broadcast.subscribe()
            try await broadcast.send(1)
            let sender = spawn { try await broadcast.send(2) }
            await turns(2)
            slow.close()
            slow.close()
            try await sender.value
            #expect(broadcast.subscriberCount == 1)
            let taken = [try await slow.next(), try await other.next(), try await other.next()]
            #expect(taken == [nil, 1, 2])
        }
    }

    @Test("closing ends the wait for an element")
    func closeWakesTheSubscriber() async throws {
        try await onLoop { _ in
            let broadcast = Broadcast<Int>()
            let subscription = broadcast.subscribe()
            let subscriber = spawn { try await subscription.next() }
            await turns(2)
            subscription.close()
            let element = try await subscriber.value
            #expect(element == nil)
        }
    }

    @Test("a subscription that is dropped is one no more, and what lay there goes with it")
    func droppedSubscription() async throws {
        try await onLoop { _ in
            let alive = Counter()
            let broadcast = Broadcast<Tracked>()
            var subscription: Broadcast<Tracked>.Subscription? = broadcast.subscribe(buffer: 1)
            try await broadcast.send(Tracked(alive))
            let sender = spawn { try await broadcast.send(Tracked(alive)) }
            await turns(2)
            #expect(subscription != nil && alive.value == 2)
            subscription = nil
            try await sender.value
            #expect(broadcast.subscriberCount == 0 && alive.value == 0)
        }
    }

    @Test("a loop that is left ends its subscription")
    func breakUnsubscribes() async throws {
        try await onLoop { _ in
            let broadcast = Broadcast<Int>()
            let subscriber = spawn { for try await _ in broadcast.subscribe() { break } }
            await turns(2)
            #expect(broadcast.subscriberCount == 1)
            try await broadcast.send(1)
            try await subscriber.value
            #expect(broadcast.subscriberCount == 0)
        }
    }

    @Test("a subscription that is dropped on another thread is one no more")
    func subscriptionDroppedElsewhere() async throws {
        try await onLoop { _ in
            let broadcast = Broadcast<Int>()
            let holder = Holder(broadcast.subscribe(buffer: 1))
            try await broadcast.send(1)
            let sender = spawn { try await broadcast.send(2) }
            try await onThread { holder.held = nil }
            try await sender.value
            #expect(broadcast.subscriberCount == 0)
        }
    }

    @Test("a crowd of subscribers leaves in any order, and those that stay miss nothing")
    func crowd() async throws {
        try await onLoop { _ in
            let broadcast = Broadcast<Int>()
            let subscriptions = (0..<1000).map { _ in broadcast.subscribe(buffer: 1) }
            var random = SeededGenerator(seed: 1)
            let order = subscriptions.shuffled(using: &random)
            for subscription in order.dropLast(10) { subscription.close() }
            #expect(broadcast.subscriberCount == 10)
            try await broadcast.send(7)
            for subscription in order.suffix(10) {
                let element = try await subscription.next()
                #expect(element == 7)
            }
        }
    }

    @Test("a subscriber that is cancelled while it waits takes nothing")
    func cancelledSubscriber() async throws {
        try await onLoop { _ in
            let broadcast = Broadcast<Int>()
            let subscription = broadcast.subscribe()
            let subscriber = spawn { try await subscription.next() }
            await turns(2)
            subscriber.cancel()
            #expect(try broadcast.trySend(1))
            await #expect(throws: CancellationError.self) { try await subscriber.value }
            let element = try await subscription.next()
            #expect(element == 1)
        }
    }

    // MARK: - The end

    @Test("finish ends the wait of senders and subscribers")
    func finish() async throws {
        try await onLoop { _ in
            let broadcast = Broadcast<Int>()
            let full = broadcast.subscribe(buffer: 1)
            let empty = broadcast.subscribe()
            try await broadcast.send(1)
            _ = try await empty.next()
            let sender = spawn { try await broadcast.send(2) }
            let subscriber = spawn { try await empty.next() }
            await turns(2)
            broadcast.finish()
            broadcast.finish()
            await #expect(throws: ChannelFinished()) { try await sender.value }
            await #expect(throws: ChannelFinished()) { try await broadcast.send(3) }
            #expect(throws: ChannelFinished()) { try broadcast.trySend(3) }
            let element = try await subscriber.value
            let left = try await rest(of: full)
            #expect(element == nil && left == [1])
            let late = try await rest(of: broadcast.subscribe())
            #expect(late == [])
        }
    }

    @Test("a broadcast that is dropped finishes, on this thread and on another")
    func droppedBroadcast() async throws {
        try await onLoop { _ in
            for elsewhere in [false, true] {
                let holder = Holder(Broadcast<Int>())
                let subscription = holder.held!.subscribe()
                #expect(try holder.held!.trySend(1))
                let subscriber = spawn { try await rest(of: subscription) }
                await turns(2)
                if elsewhere { try await onThread { holder.held = nil } } else { holder.held = nil }
                let elements = try await subscriber.value
                #expect(elements == [1])
            }
        }
    }

    // MARK: - Traps

    @Test("a broadcast outside a loop traps with a sentence")
    func outside() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            _ = Broadcast<Int>()
        }
        #expect(result.sentence.contains("Broadcast() was called outside a running event loop"))
    }

    @Test("a subscription without a buffer traps with a sentence")
    func noBuffer() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try EventLoop().runBody { _ = Broadcast<Int>().subscribe(buffer: 0) }
        }
        #expect(result.sentence.contains("A subscription's buffer holds at least one element"))
    }

    @Test("use on a wrong thread traps with a sentence")
    func wrongThread() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { _ in
                let broadcast = Broadcast<Int>()
                try await onThread { _ = try broadcast.trySend(1) }
            }
        }
        #expect(result.sentence.contains("Broadcast.trySend was called while another thread runs"))
    }
}

private func rest<Element>(of subscription: Broadcast<Element>.Subscription) async throws -> [Element] {
    var elements: [Element] = []
    for try await element in subscription { elements.append(element) }
    return elements
}

/// Does something when it goes.
private final class Parting: Sendable {
    private let action: @Sendable () -> Void

    init(_ action: @escaping @Sendable () -> Void) {
        self.action = action
    }

    deinit { action() }
}
