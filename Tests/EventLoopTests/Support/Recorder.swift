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

/// The same random numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    // SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

struct TestError: Error, Equatable {
    let name: String

    init(_ name: String) {
        self.name = name
    }
}
