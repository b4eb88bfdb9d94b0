import Synchronization

@testable import EventLoop

/// Collects values, from any thread, in the order in which they come.
final class Recorder<Element: Sendable>: Sendable {
    // Not a Mutex, whose locking the thread sanitizer does not see.
    private let elements = Monitor<[Element]>([])

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
