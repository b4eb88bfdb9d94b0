/// Where the items of a queue lie until somebody takes them: it decides which is next.
protocol ItemStore<Element>: AnyObject {
    associatedtype Element

    /// Which item a waiting task gets: the one whose putting woke it, or whichever is next by the time it
    /// goes on, as an order that is not that of arrival demands.
    var choosesLate: Bool { get }

    var count: Int { get }

    func insert(_ item: Element)

    /// The next item. There must be one.
    func removeNext() -> Element

    /// Drops all but the next `kept` items.
    func removeAll(except kept: Int)
}

/// First in, first out: a ring that grows with its items, and gives the memory back when they have gone.
final class Ring<Element>: ItemStore {
    /// The ring does not become smaller than this, so that a little ebb and flow allocates nothing.
    private static var keptCapacity: Int { 64 }

    private var slots: UnsafeMutablePointer<Element>?
    /// Zero or a power of two, so that a position wraps by a mask.
    private(set) var capacity = 0
    private var head = 0
    private(set) var count = 0

    deinit {
        while count > 0 { _ = take() }
        slots?.deallocate()
    }

    var choosesLate: Bool { false }

    func insert(_ item: Element) {
        if count == capacity { resize(to: max(8, capacity * 2)) }
        (slots! + (head + count) & (capacity - 1)).initialize(to: item)
        count += 1
    }

    func removeNext() -> Element {
        let item = take()
        if capacity > Self.keptCapacity, count <= capacity / 8 { resize(to: capacity / 2) }
        return item
    }

    func removeAll(except kept: Int) {
        let dropped = Ring()
        swap(&slots, &dropped.slots)
        swap(&capacity, &dropped.capacity)
        swap(&head, &dropped.head)
        swap(&count, &dropped.count)
        for _ in 0..<kept { insert(dropped.take()) }
        // The rest goes with its ring: what their deinit does finds this one in order.
    }

    private func take() -> Element {
        let item = (slots! + head).move()
        head = (head + 1) & (capacity - 1)
        count -= 1
        return item
    }

    private func resize(to newCapacity: Int) {
        let new = UnsafeMutablePointer<Element>.allocate(capacity: newCapacity)
        if let slots {
            let untilEnd = min(count, capacity - head)
            new.moveInitialize(from: slots + head, count: untilEnd)
            (new + untilEnd).moveInitialize(from: slots, count: count - untilEnd)
            slots.deallocate()
        }
        slots = new
        capacity = newCapacity
        head = 0
    }
}

extension Array {
    /// Gives most of the memory back once the array is nearly empty.
    mutating func shrinkIfSparse() {
        guard capacity > 64, count <= capacity / 8 else { return }
        var smaller: [Element] = []
        smaller.reserveCapacity(capacity / 2)
        smaller.append(contentsOf: self)
        self = smaller
    }
}
