/// What queues, channels and mailboxes have in common: items go from tasks that put to tasks that take, both
/// first come, first served.
///
/// An item that is put while tasks wait for one belongs to the first of them at once, and the item of a task
/// that waits for space goes in as soon as there is some: nobody who comes later can get in between. Hence:
/// while a task waits to take, no item is free, and while one waits to put, there is no space.
final class Exchange<Element> {
    enum Putting {
        case accepted
        case full
        case closed
    }

    let engine: Engine
    /// How many items may lie here; none: each goes from hand to hand.
    let capacity: Int
    private let store: any ItemStore<Element>
    private let takers = HandOver<Element>()
    private let putters = HandOver<Element>()
    /// How many of the store's items belong to takers that were woken and have not gone on yet.
    private var promised = 0
    /// How many items have ever come in.
    private(set) var accepted = 0
    private(set) var isClosed = false

    init(engine: Engine, capacity: Int, store: some ItemStore<Element>) {
        self.engine = engine
        self.capacity = capacity
        self.store = store
    }

    /// How many items anybody could take now.
    var count: Int { store.count - promised }

    var isFull: Bool { count >= capacity }

    // MARK: - Putting

    /// Returns false when it is closed, or is while the item waits for space. A cancelled task takes its
    /// item with it.
    func put(_ item: Element) async throws -> Bool {
        try await engine.spendBudget()
        switch tryPut(item) {
        case .accepted: return true
        case .closed: return false
        case .full: return try await waitForSpace(with: item)
        }
    }

    // Apart, as is waiting for an item: the way without a wait has the smaller frame, and nothing of it to
    // look up.
    private func waitForSpace(with item: Element) async throws -> Bool {
        let token = engine.reserveWait(for: .space)
        let place = putters.enter(token, with: item)
        let wakeup = await engine.park(token)
        let (_, wasServed) = putters.leave(place)
        if wakeup == .cancelled { throw CancellationError() }
        return wasServed
    }

    func tryPut(_ item: Element) -> Putting {
        if isClosed { return .closed }
        if !accept(item) { return .full }
        return .accepted
    }

    private func accept(_ item: Element) -> Bool {
        if store.choosesLate {
            if takers.serveFirst(on: engine) != nil {
                promised += 1
            } else if isFull {
                return false
            }
            store.insert(item)
        } else if takers.isEmpty || !takers.give(item, on: engine) {
            if isFull { return false }
            store.insert(item)
        }
        accepted += 1
        return true
    }

    // MARK: - Taking

    /// Returns nil when it is closed and empty, or is while the task waits. A task that was woken for an item
    /// returns it, even if it has been cancelled since.
    func take() async throws -> Element? {
        try await engine.spendBudget()
        if let item = tryTake() { return item }
        if isClosed { return nil }
        return try await waitForItem()
    }

    private func waitForItem() async throws -> Element? {
        let token = engine.reserveWait(for: .item)
        let place = takers.enter(token)
        let wakeup = await engine.park(token)
        let (item, wasServed) = takers.leave(place)
        if wakeup == .cancelled { throw CancellationError() }
        guard wasServed else { return nil }
        if let item { return item }
        promised -= 1
        return store.removeNext()
    }

    /// The next item, if one is free.
    func tryTake() -> Element? {
        if count > 0 {
            let item = store.removeNext()
            if !putters.isEmpty, let waiting = putters.take(on: engine) { _ = accept(waiting) }
            return item
        }
        guard !putters.isEmpty, let item = putters.take(on: engine) else { return nil }
        accepted += 1
        return item
    }

    // MARK: - The end

    /// Nothing comes in any more: waiting putters keep their items, and takers get what is there.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        putters.dismissAll(on: engine)
        takers.dismissAll(on: engine)
    }

    /// Drops the items that are free, and none that a taker was woken for.
    func removeAll() {
        store.removeAll(except: promised)
    }
}
