import TestSupport
import Testing

@testable import EventLoop

/// The caller is on the loop because its actor lives there. Its task has no preference, so what is isolated
/// to nothing would run elsewhere.
@Suite("Children of an actor's code", .timeLimit(.minutes(5)))
struct GroupChildrenTests {
    @Test("they stay on the loop", arguments: Combination.allCases)
    func stay(combination: Combination) async throws {
        let loop = try EventLoop()
        let thread = Thread { try loop.run() }
        let actor = LoopActor(loop)
        for _ in 0..<20 {
            // Detached, so that it has no preference of the test's.
            let isOnLoop = try await Task.detached { try await actor.run(combination) }.value
            #expect(isOnLoop == Array(repeating: true, count: combination.steps))
        }
        loop.stop()
        try await thread.value
        expectNothingLeft(on: loop)
    }

    enum Combination: String, CaseIterable, Sendable {
        case gatherTuple, gather, gatherLimited, gatherResults, gatherResultsTuple
        case withTimeout, withTaskScope, asCompleted, race

        var steps: Int {
            switch self {
            case .gather, .gatherResults, .gatherTuple, .gatherResultsTuple, .race: 4
            case .gatherLimited: 8
            case .withTimeout, .withTaskScope: 2
            case .asCompleted: 6
            }
        }
    }

    private actor LoopActor {
        private let loop: EventLoop

        init(_ loop: EventLoop) {
            self.loop = loop
        }

        nonisolated var unownedExecutor: UnownedSerialExecutor {
            loop.serialExecutor.asUnownedSerialExecutor()
        }

        /// Says for each step whether it was on the loop.
        func run(_ combination: Combination) async throws -> [Bool] {
            let steps = Recorder<Bool>()
            let loop = loop
            // Isolated to nothing: only an executor preference keeps it on the loop.
            let operation: () async throws -> Void = {
                steps.add(loop.isOnLoopThread)
                await Task.yield()
                steps.add(loop.isOnLoopThread)
            }
            try await runAsChildren(combination, operation) { steps.add(loop.isOnLoopThread) }
            return steps.all
        }
    }
}

/// An actor that does not live on the loop, whose code runs there because of the task that calls it. The
/// runtime may run it on other threads as well, so its state is safe only within it.
@Suite("Children of an actor that lives elsewhere", .timeLimit(.minutes(5)))
struct ConfinedChildrenTests {
    @Test("they run within it")
    func within() async throws {
        // In a process of its own, because the runtime tells a wrong actor by a trap only.
        await #expect(processExitsWith: .success) {
            for combination in GroupChildrenTests.Combination.allCases {
                let steps = try EventLoop().runBody { try await Account().run(combination) }
                #expect(steps == combination.steps, "\(combination)")
            }
        }
    }

    private actor Account {
        private let steps = Steps()

        func run(_ combination: GroupChildrenTests.Combination) async throws -> Int {
            try await steps.take(combination, within: self)
            return steps.count
        }
    }

    /// What is not Sendable, and does not say to whom it belongs.
    private final class Steps {
        private(set) var count = 0

        func take(_ combination: GroupChildrenTests.Combination, within actor: Account) async throws {
            try await runAsChildren(combination, { try await self.take(within: actor) }, each: { count += 1 })
        }

        private func take(within actor: Account) async throws {
            actor.preconditionIsolated("A child runs outside the actor.")
            count += 1
            await Task.yield()
            actor.preconditionIsolated("A child goes on outside the actor.")
            count += 1
        }
    }
}

/// Runs the operation as children, each of which takes two steps, and `each` in the caller.
func runAsChildren(
    _ combination: GroupChildrenTests.Combination, _ operation: @escaping () async throws -> Void,
    each: () -> Void
) async throws {
    switch combination {
    case .gatherTuple: _ = try await gather(operation, operation)
    case .gather: try await gather([1, 2]) { _ in try await operation() }
    case .gatherLimited: try await gather(1...4, limit: 2) { _ in try await operation() }
    case .gatherResults: await gatherResults([1, 2]) { _ in try await operation() }
    case .gatherResultsTuple: _ = await gatherResults(operation, operation)
    case .withTimeout: try await withTimeout(.seconds(10)) { () in try await operation() }
    case .withTaskScope: try await withTaskScope { _ in try await operation() }
    case .asCompleted:
        try await asCompleted([1, 2]) { _ in
            try await operation()
        } each: { _, _ in
            each()
        }
    case .race: try await race(operation, operation)
    }
}
