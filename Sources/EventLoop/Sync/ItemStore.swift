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
///
/// Through pointers, which cost neither look-ups of the metadata of generic types nor checks for exclusive
/// access.
final class Ring<Element>: ItemStore {
    /// The ring does not become smaller than this, so that a little ebb and flow allocates nothing.
    private static var keptCapacity: Int { 64 }

    private let state: UnsafeMutablePointer<RingState>

    init() {
        state = .allocate(capacity: 1)
        state.initialize(to: RingState())
    }

    deinit {
        while count > 0 { _ = takeFirst() }
        state.pointee.slots?.deallocate()
        state.deallocate()
    }

    var count: Int { state.pointee.count }

    var capacity: Int { state.pointee.capacity }

    /// Where the item lies that has `index` others before it, until the next one comes or goes.
    subscript(index: Int) -> UnsafeMutablePointer<Element> {
        let position = (state.pointee.head + index) & (state.pointee.capacity - 1)
        return state.pointee.slots!.assumingMemoryBound(to: Element.self) + position
    }

    func append(_ item: Element) {
        if count == capacity { resize(to: max(8, capacity * 2)) }
        self[count].initialize(to: item)
        state.pointee.count += 1
    }

    func removeFirst() -> Element {
        let item = takeFirst()
        shrinkIfSparse()
        return item
    }

    func removeLast() -> Element {
        state.pointee.count -= 1
        let item = self[count].move()
        shrinkIfSparse()
        return item
    }

    private func takeFirst() -> Element {
        let item = self[0].move()
        state.pointee.head = (state.pointee.head + 1) & (capacity - 1)
        state.pointee.count -= 1
        return item
    }

    private func shrinkIfSparse() {
        if capacity > Self.keptCapacity, count <= capacity / 8 { resize(to: capacity / 2) }
    }

    private func resize(to newCapacity: Int) {
        let new = UnsafeMutablePointer<Element>.allocate(capacity: newCapacity)
        if count > 0 {
            let untilEnd = min(count, capacity - state.pointee.head)
            new.moveInitialize(from: self[0], count: untilEnd)
            if untilEnd < count {
                (new + untilEnd).moveInitialize(from: self[untilEnd], count: count - untilEnd)
            }
        }
        state.pointee.slots?.deallocate()
        state.pointee.slots = UnsafeMutableRawPointer(new)
        state.pointee.capacity = newCapacity
        state.pointee.head = 0
    }

    // MARK: - As a store

    var choosesLate: Bool { false }

    func insert(_ item: Element) { append(item) }

    func removeNext() -> Element { removeFirst() }

    func removeAll(except kept: Int) {
        let dropped = Ring()
        swap(&state.pointee, &dropped.state.pointee)
        for _ in 0..<kept { append(dropped.takeFirst()) }
        // The rest goes with its ring: what their deinit does finds this one in order.
    }
}

private struct RingState {
    var slots: UnsafeMutableRawPointer?
    /// Zero or a power of two, so that a position wraps by a mask.
    var capacity = 0
    var head = 0
    var count = 0
}
