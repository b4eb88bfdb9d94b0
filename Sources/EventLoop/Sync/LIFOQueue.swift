/// A queue whose last item is the first to come out; asyncio's LifoQueue. Everything else is as in ``Queue``.
///
/// A task that waits in ``Queue/get()`` is woken for an item, and gets the one that is last by the time it
/// goes on (as in asyncio).
public final class LIFOQueue<Element>: Queue<Element> {
    /// - Parameters:
    ///   - maxSize: How many items it holds before ``Queue/put(_:)`` waits; nil means any number.
    ///   - loop: The loop to bind it to; nil means the one that runs on this thread.
    /// - Precondition: A loop runs on this thread, or `loop` is given. `maxSize` is at least 1.
    public convenience init(maxSize: Int? = nil, on loop: EventLoop? = nil) {
        self.init(maxSize, loop ?? EventLoop.current(for: "LIFOQueue()"), Stack())
    }
}

// Every use checks the thread, so handing queues around among a loop's tasks is safe.
extension LIFOQueue: @unchecked Sendable where Element: Sendable {}

/// Last in, first out.
final class Stack<Element>: ItemStore {
    private var items = Ring<Element>()

    var choosesLate: Bool { true }

    var count: Int { items.count }

    func insert(_ item: Element) { items.append(item) }

    func removeNext() -> Element { items.removeLast() }

    func removeAll(except kept: Int) {
        let last = (0..<kept).map { _ in items.removeLast() }
        // Held until the end: what the deinit of an item does finds the stack in order.
        let dropped = items
        items = Ring()
        for item in last.reversed() { items.append(item) }
        withExtendedLifetime(dropped) {}
    }
}
