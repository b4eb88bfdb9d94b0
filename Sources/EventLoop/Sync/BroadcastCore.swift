/// What a broadcast and its subscriptions share: the mailboxes, and who waits for space in them.
final class BroadcastCore<Element> {
    let engine: Engine
    /// How many elements have gone out: the next one's number.
    private(set) var sent = 0
    private(set) var isFinished = false
    /// In the order of their subscriptions. Closed ones stay until they are the greater part, so that a
    /// crowd that leaves takes constant time each.
    private var mailboxes: [Mailbox<Element>] = []
    private var closedMailboxes = 0
    /// How many mailboxes senders wait for. While a sender waits, there is one.
    private var fullMailboxes = 0
    private let senders = HandOver<Element>()

    init(engine: Engine) {
        self.engine = engine
    }

    var subscriberCount: Int { mailboxes.count - closedMailboxes }

    // MARK: - Sending

    func send(_ element: Element) async throws {
        try await engine.spendBudget()
        if try trySend(element) { return }
        let token = engine.reserveWait(for: .space)
        let place = senders.enter(token, with: element)
        let wakeup = await engine.park(token)
        let (_, wasServed) = senders.leave(place)
        if wakeup == .cancelled { throw CancellationError() }
        if !wasServed { throw ChannelFinished() }
    }

    func trySend(_ element: Element) throws -> Bool {
        if isFinished { throw ChannelFinished() }
        guard fullMailboxes == 0 else { return false }
        deliver(element)
        return true
    }

    private func deliver(_ element: Element) {
        let numbered = Numbered(number: sent, element: element)
        sent += 1
        // Kept until everybody has the new element: what the deinit of one does finds all in order.
        var dropped: [Numbered<Element>] = []
        for mailbox in mailboxes where !mailbox.isClosed {
            if let oldest = mailbox.put(numbered) { dropped.append(oldest) }
            if mailbox.holdsSendersUp { fullMailboxes += 1 }
        }
    }

    /// A subscriber has taken something: if it was the last that senders waited for, they go on.
    func noteSpace(in mailbox: Mailbox<Element>) {
        guard mailbox.holdsSendersUp, !mailbox.exchange.isFull else { return }
        letGo(of: mailbox)
    }

    private func letGo(of mailbox: Mailbox<Element>) {
        mailbox.holdsSendersUp = false
        fullMailboxes -= 1
        while fullMailboxes == 0, let element = senders.take(on: engine) { deliver(element) }
    }

    // MARK: - Mailboxes

    func addMailbox(capacity: Int, dropsOldest: Bool) -> Mailbox<Element> {
        let mailbox = Mailbox<Element>(engine: engine, capacity: capacity, dropsOldest: dropsOldest)
        if isFinished { mailbox.exchange.close() } else { mailboxes.append(mailbox) }
        return mailbox
    }

    func remove(_ mailbox: Mailbox<Element>) {
        if !mailbox.isClosed {
            mailbox.exchange.close()
            closedMailboxes += 1
            if 2 * closedMailboxes > mailboxes.count {
                mailboxes.removeAll { $0.isClosed }
                closedMailboxes = 0
            }
            if mailbox.holdsSendersUp { letGo(of: mailbox) }
        }
        mailbox.exchange.removeAll()
    }

    // MARK: - The end

    func finish() {
        guard !isFinished else { return }
        isFinished = true
        senders.dismissAll(on: engine)
        for mailbox in mailboxes { mailbox.exchange.close() }
        mailboxes = []
        closedMailboxes = 0
    }
}

/// What one subscriber has not taken yet.
final class Mailbox<Element> {
    let exchange: Exchange<Numbered<Element>>
    private let dropsOldest: Bool
    /// It is full, and senders wait for it.
    fileprivate(set) var holdsSendersUp = false

    init(engine: Engine, capacity: Int, dropsOldest: Bool) {
        exchange = Exchange(engine: engine, capacity: capacity, store: Ring())
        self.dropsOldest = dropsOldest
    }

    var isClosed: Bool { exchange.isClosed }

    /// There is space, or the oldest element makes some, and is returned.
    fileprivate func put(_ element: Numbered<Element>) -> Numbered<Element>? {
        var oldest: Numbered<Element>?
        if case .full = exchange.tryPut(element) {
            precondition(dropsOldest)
            oldest = exchange.tryTake()
            _ = exchange.tryPut(element)
        }
        holdsSendersUp = !dropsOldest && exchange.isFull
        return oldest
    }
}

/// An element and how many went out before it, by which a subscriber sees what it has missed.
struct Numbered<Element> {
    let number: Int
    let element: Element
}
