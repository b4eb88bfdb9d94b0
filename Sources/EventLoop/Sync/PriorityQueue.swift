/// A queue whose least item is the first to come out; asyncio's PriorityQueue. Everything else is as in
/// ``Queue``.
///
/// Items of equal rank come out in the order in which they went in (asyncio's come in any order). By default
/// the items are compared themselves; any type has a rank by a comparison:
///
///     let queue = PriorityQueue<Job>(by: { $0.deadline < $1.deadline })
///
/// A task that waits in ``Queue/get()`` is woken for an item, and gets the one that is least by the time it
/// goes on (as in asyncio). Tasks that wait in ``Queue/put(_:)`` do so in their order, whatever they bring.
public final class PriorityQueue<Element>: Queue<Element> {
    /// - Parameters:
    ///   - maxSize: How many items it holds before ``Queue/put(_:)`` waits; nil means any number.
    ///   - loop: The loop to bind it to; nil means the one that runs on this thread.
    ///   - areInIncreasingOrder: Whether its first argument comes out before its second: a strict weak order,
    ///     as for `sorted(by:)`. It is called on the loop's thread, and must not use the queue.
    /// - Precondition: A loop runs on this thread, or `loop` is given. `maxSize` is at least 1.
    public convenience init(
        maxSize: Int? = nil, on loop: EventLoop? = nil,
        by areInIncreasingOrder: @escaping (Element, Element) -> Bool
    ) {
        self.init(
            maxSize, loop ?? EventLoop.current(for: "PriorityQueue()"), Heap(by: areInIncreasingOrder))
    }

    /// A queue of items that are compared themselves.
    ///
    /// - Parameters:
    ///   - maxSize: How many items it holds before ``Queue/put(_:)`` waits; nil means any number.
    ///   - loop: The loop to bind it to; nil means the one that runs on this thread.
    /// - Precondition: A loop runs on this thread, or `loop` is given. `maxSize` is at least 1.
    public convenience init(maxSize: Int? = nil, on loop: EventLoop? = nil) where Element: Comparable {
        self.init(maxSize: maxSize, on: loop, by: <)
    }
}

// Every use checks the thread, so handing queues around among a loop's tasks is safe.
extension PriorityQueue: @unchecked Sendable where Element: Sendable {}

/// Least first, and of equals the one that came first: a binary heap.
final class Heap<Element>: ItemStore {
    private let areInIncreasingOrder: (Element, Element) -> Bool
    /// Used from its end only, so the heap's root is its first.
    private var items = Ring<Element>()
    /// How many items had come before each.
    private var arrivals = Ring<Int>()
    private var nextArrival = 0

    init(by areInIncreasingOrder: @escaping (Element, Element) -> Bool) {
        self.areInIncreasingOrder = areInIncreasingOrder
    }

    var choosesLate: Bool { true }

    var count: Int { items.count }

    func insert(_ item: Element) {
        items.append(item)
        arrivals.append(nextArrival)
        nextArrival += 1
        rise()
    }

    func removeNext() -> Element {
        takeLeast().item
    }

    func removeAll(except kept: Int) {
        // In their order they are a heap.
        let (least, theirArrivals) = (Ring<Element>(), Ring<Int>())
        for _ in 0..<kept {
            let (item, arrival) = takeLeast()
            least.append(item)
            theirArrivals.append(arrival)
        }
        // Held until the end: what the deinit of an item does finds the heap in order.
        let dropped = items
        items = least
        arrivals = theirArrivals
        withExtendedLifetime(dropped) {}
    }

    private func takeLeast() -> (item: Element, arrival: Int) {
        exchange(0, count - 1)
        let least = (items.removeLast(), arrivals.removeLast())
        sink()
        return least
    }

    private func rise() {
        var index = count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard comes(index, before: parent) else { return }
            exchange(index, parent)
            index = parent
        }
    }

    private func sink() {
        var index = 0
        while case let left = 2 * index + 1, left < count {
            let right = left + 1
            let lesser = right < count && comes(right, before: left) ? right : left
            guard comes(lesser, before: index) else { return }
            exchange(index, lesser)
            index = lesser
        }
    }

    private func comes(_ index: Int, before other: Int) -> Bool {
        if areInIncreasingOrder(items[index].pointee, items[other].pointee) { return true }
        return arrivals[index].pointee < arrivals[other].pointee
            && !areInIncreasingOrder(items[other].pointee, items[index].pointee)
    }

    private func exchange(_ index: Int, _ other: Int) {
        guard index != other else { return }
        let item = items[index].move()
        items[index].moveInitialize(from: items[other], count: 1)
        items[other].initialize(to: item)
        swap(&arrivals[index].pointee, &arrivals[other].pointee)
    }
}
