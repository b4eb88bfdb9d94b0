import EventLoop
import Testing

/// Runs a test on an event loop of its own whose clock is virtual, once or once for each of some seeds; see
/// ``Testing/Trait/virtualTime``.
public struct VirtualTimeTrait: TestTrait, SuiteTrait {
    /// Tells this trait from others of a test that say the same.
    private final class Identity: Sendable {}

    private let identity = Identity()
    let clock: EventLoop.ClockKind
    let seeds: ClosedRange<UInt64>?
    /// How long a run without any deadline waits for others until it counts as stuck.
    var patience = TestRun.patience

    init(clock: EventLoop.ClockKind, seeds: ClosedRange<UInt64>?) {
        self.clock = clock
        self.seeds = seeds
    }

    /// A suite passes it on to its tests.
    public var isRecursive: Bool { true }
}

extension Trait where Self == VirtualTimeTrait {
    /// Runs the test on an event loop of its own, in no time: the loop's clock leaps to the next deadline
    /// whenever all tasks are blocked (``EventLoop/EventLoop/ClockKind/virtual``).
    ///
    ///     @Test(.virtualTime) func waits() async throws {
    ///         try await sleep(for: .seconds(3600))
    ///         #expect(EventLoop.current.now == .init(nanoseconds: 3_600_000_000_000))
    ///     }
    ///
    /// The test, and what it calls, must be asynchronous and nonisolated: an actor's code, the main actor's
    /// too, does not run on the loop, and there the library's functions trap. `async let` and task groups run
    /// on the loop with it; in place of `Task { … }`, which does not, use `spawn`.
    ///
    /// When the test has ended, what it spawned and what has not ended is cancelled and awaited. The test
    /// fails when an error of such a task found nobody (``EventLoop/UnhandledError``), and when its tasks
    /// wait and none can go on any more (``EventLoop/DeadlockError``): their waits end by cancellation then.
    /// Who is to bring something from outside (another thread, a process) has a second for that, or the
    /// clock's patience.
    ///
    /// As a suite's trait it is each test's. A test's own replaces it.
    public static var virtualTime: Self {
        VirtualTimeTrait(clock: .virtual, seeds: nil)
    }

    /// Like ``virtualTime``, on a clock that waits for others before it leaps: see
    /// ``EventLoop/EventLoop/ClockKind/virtual(patience:)``.
    public static func virtualTime(patience: Duration) -> Self {
        VirtualTimeTrait(clock: .virtual(patience: patience), seeds: nil)
    }

    /// Like ``virtualTime``, once for each seed, from which the order of ready tasks is drawn, until a run
    /// fails: finds races that the usual order never shows.
    ///
    ///     @Test(.virtualTime(seeds: 1000)) func transfers() async throws { … }
    ///
    /// Each issue says which seed it was; ``virtualTime(seed:patience:)`` runs that one again.
    ///
    /// - Parameters:
    ///   - count: How many seeds, at least 1.
    ///   - first: The first; the others follow it.
    ///   - patience: See ``virtualTime(patience:)``.
    public static func virtualTime(
        seeds count: Int, from first: UInt64 = 0, patience: Duration = .zero
    ) -> Self {
        precondition(count > 0, "A test without a seed would pass without running.")
        return VirtualTimeTrait(
            clock: .virtual(patience: patience), seeds: first...first + UInt64(count - 1))
    }

    /// Like ``virtualTime``, with the order of ready tasks drawn from a seed: has a failure again that
    /// ``virtualTime(seeds:from:patience:)`` has found.
    public static func virtualTime(seed: UInt64, patience: Duration = .zero) -> Self {
        VirtualTimeTrait(clock: .virtual(patience: patience), seeds: seed...seed)
    }
}

extension VirtualTimeTrait: TestScoping {
    /// A test with several, its suites' and its own, runs by the last.
    public func scopeProvider(for test: Test, testCase: Test.Case?) -> VirtualTimeTrait? {
        guard testCase != nil else { return nil }
        let last = test.traits.lazy.compactMap { $0 as? VirtualTimeTrait }.last
        return last == nil || last!.identity === identity ? self : nil
    }

    public func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        guard let seeds else {
            try await run(seed: nil, function)
            return
        }
        for seed in seeds {
            let failures = FailureCount()
            let marking = IssueHandlingTrait.compactMapIssues { issue in
                failures.add(issue)
                return issue.with(seed: seed)
            }
            do {
                try await marking.provideScope(for: test, testCase: testCase) {
                    try await run(seed: seed, function)
                }
            } catch let error as ExpectationFailedError {
                throw error
            } catch {
                throw SeedFailure(seed: seed, error: error)
            }
            if failures.any { return }
        }
    }

    func run(seed: UInt64?, _ function: @Sendable @concurrent () async throws -> Void) async throws {
        let hint = """
             This test has the trait .virtualTime, which runs it on an event loop, but is isolated to an \
            actor, perhaps the main actor: make it nonisolated.
            """
        try await EventLoop.$hintWithoutLoop.withValue(hint) {
            try await TestRun.perform(clock: clock, seed: seed, patience: patience, function)
        }
    }
}
