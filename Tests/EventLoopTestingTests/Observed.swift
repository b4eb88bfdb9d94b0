import EventLoop
import Synchronization
import Testing

@testable import EventLoopTesting

/// What came of a test that ran by a trait.
struct Observed {
    var issues: [Issue] = []
    var error: (any Error)?

    var comments: [String] { issues.flatMap { $0.comments.map(\.rawValue) } }
}

/// Runs `body` as the trait would run a test, and keeps what it reports from being this test's failure.
func observe(
    _ trait: VirtualTimeTrait, _ body: @escaping @Sendable @concurrent () async throws -> Void
) async throws -> Observed {
    let observed = Mutex(Observed())
    let collecting = IssueHandlingTrait.compactMapIssues { issue in
        observed.withLock { $0.issues.append(issue) }
        return nil
    }
    let test = try #require(Test.current)
    try await collecting.provideScope(for: test, testCase: Test.Case.current) {
        do {
            try await trait.provideScope(for: test, testCase: Test.Case.current, performing: body)
        } catch {
            observed.withLock { $0.error = error }
        }
    }
    return observed.withLock { $0 }
}

extension VirtualTimeTrait {
    /// This trait, for tests that get stuck on purpose.
    func withoutPatience() -> VirtualTimeTrait {
        var trait = self
        trait.patience = .zero
        return trait
    }
}

/// Collects values, from any thread, in the order in which they come.
final class Log<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])

    func add(_ element: Element) { elements.withLock { $0.append(element) } }

    var all: [Element] { elements.withLock { $0 } }
}

struct SomeError: Error, Equatable {}

/// One update may get lost, but only in an order that is not the usual one.
func updateTwice() async throws -> Int {
    var balance = 0
    try await gather(
        {
            await yield()
            let before = balance
            await yield()
            balance = before + 10
        },
        {
            await yield()
            await yield()
            let before = balance
            await yield()
            balance = before + 20
        })
    return balance
}
