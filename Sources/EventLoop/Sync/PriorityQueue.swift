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
    private struct Entry {
        let item: Element
        /// How many items came before it.
        let arrival: Int
    }

    private let areInIncreasingOrder: (Element, Element) -> Bool
    private var entries: [Entry] = []
    private var arrivals = 0

    init(by areInIncreasingOrder: @escaping (Element, Element) -> Bool) {
        self.areInIncreasingOrder = areInIncreasingOrder
    }

    var choosesLate: Bool { true }

    var count: Int { entries.count }

    func insert(_ item: Element) {
        entries.append(Entry(item: item, arrival: arrivals))
        arrivals += 1
        rise(from: entries.count - 1)
    }

    func removeNext() -> Element {
        takeLeast().item
    }

    func removeAll(except kept: Int) {
        // A sorted array is a heap.
        let least = (0..<kept).map { _ in takeLeast() }
        // Swapped out first: what the deinit of an item does finds the heap in order.
        var dropped = least
        swap(&entries, &dropped)
    }

    private func takeLeast() -> Entry {
        entries.swapAt(0, entries.count - 1)
        let entry = entries.removeLast()
        entries.shrinkIfSparse()
        sink()
        return entry
    }

    private func comes(_ index: Int, before other: Int) -> Bool {
        let (entry, other) = (entries[index], entries[other])
        if areInIncreasingOrder(entry.item, other.item) { return true }
        return entry.arrival < other.arrival && !areInIncreasingOrder(other.item, entry.item)
    }

    private func rise(from start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            guard comes(index, before: parent) else { return }
            entries.swapAt(index, parent)
            index = parent
        }
    }

    private func sink() {
        var index = 0
        while case let left = 2 * index + 1, left < entries.count {
            let right = left + 1
            let lesser = right < entries.count && comes(right, before: left) ? right : left
            guard comes(lesser, before: index) else { return }
            entries.swapAt(index, lesser)
            index = lesser
        }
    }
}
