import Synchronization

/// Collects values, from any thread, in the order in which they come.
final class Recorder<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])

    func add(_ element: Element) {
        elements.withLock { $0.append(element) }
    }

    var all: [Element] { elements.withLock { $0 } }

    var count: Int { elements.withLock { $0.count } }
}

/// A number that any thread may change.
final class Counter: Sendable {
    private let number = Atomic<Int>(0)

    func increment() { number.wrappingAdd(1, ordering: .sequentiallyConsistent) }

    func decrement() { number.wrappingSubtract(1, ordering: .sequentiallyConsistent) }

    var value: Int { number.load(ordering: .sequentiallyConsistent) }
}

struct TestError: Error, Equatable {
    let name: String

    init(_ name: String) {
        self.name = name
    }
}
