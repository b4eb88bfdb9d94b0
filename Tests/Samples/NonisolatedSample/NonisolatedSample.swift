import EventLoop
import Synchronization

// The other style: nothing is isolated, what tasks share is Sendable, and the same code runs on one loop or
// on several.

final class Total: Sendable {
    private let sum = Mutex(0)

    func add(_ number: Int) {
        sum.withLock { $0 += number }
    }

    var value: Int { sum.withLock { $0 } }
}

/// Returns what the program counted.
public func runNonisolatedSample() throws -> Int {
    let total = Total()
    return try EventLoop.run {
        let tasks = (1...3).map { number in
            spawn(name: "adder \(number)") {
                try await sleep(for: .milliseconds(1))
                total.add(number)
            }
        }
        try await gather({ total.add(10) }, { total.add(20) })
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<10 { group.addTask { total.add(100) } }
        }
        for task in tasks { try await task.value }
        EventLoop.current.callSoon { total.add(1000) }
        await yield()
        return total.value
    }
}
