import Glibc
import TestSupport
import Testing

@testable import EventLoop

/// Runs a scenario once for each seed: several tasks over one primitive, some of which are cancelled, at
/// whatever points the seed decides. The seed also decides the order of ready tasks; time is virtual.
///
/// A seed fails when the scenario throws; when a worker fails, or ends by cancellation though nobody
/// cancelled it; when all wait and none can go on; and when anything is left on the loop.
func chaos(
    seeds count: Int = chaosSeeds, from first: UInt64 = 0, sourceLocation: SourceLocation = #_sourceLocation,
    _ scenario: @escaping @Sendable (Chaos) async throws -> Void
) async throws {
    do {
        try await onThread {
            for seed in first...first + UInt64(count - 1) {
                try EventLoop.explore(seed: seed) {
                    let chaos = Chaos(seed: seed)
                    try await scenario(chaos)
                    try await chaos.expectNothingLeft()
                }
            }
        }
    } catch let failure as SeedFailure {
        // The same again: chaos(seeds: 1, from: the seed).
        Issue.record(failure, sourceLocation: sourceLocation)
    }
}

/// How many runs are enough; fewer where each takes ten times as long.
private let chaosSeeds = dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil ? 100 : 1000

/// One run of a scenario. Everything happens on its loop.
final class Chaos: @unchecked Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// A task that may be cancelled at any time.
    final class Worker {
        private let task: StartedTask<Void>
        private(set) var isCancelled = false

        init(_ task: StartedTask<Void>) {
            self.task = task
        }

        func cancel() {
            isCancelled = true
            task.cancel()
        }

        /// Waits for its end, which is to be a regular one, or a cancellation if it was cancelled.
        func end() async throws {
            do {
                try await task.value
            } catch is CancellationError where isCancelled {}
        }
    }

    /// How a worker does its work: each way hears of a cancellation in another manner.
    private enum Manner: CaseIterable {
        case itself
        case asyncLet
        case gathered
        case timeout
        case scope
    }

    private(set) var workers: [Worker] = []
    private var random: SeededGenerator

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
    }

    // MARK: - For scenarios

    func check(_ isSo: Bool, _ what: @autoclosure () -> String, line: UInt = #line) throws {
        if !isSo { throw Failure(description: "line \(line): not so: \(what())") }
    }

    func number(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &random)
    }

    func chance(_ count: Int, in total: Int) -> Bool {
        number(1...total) <= count
    }

    /// Waits a little: not at all, for a few turns, or for a time.
    func pause() async throws {
        switch number(0...3) {
        case 0: break
        case 1: try await sleep(for: .nanoseconds(number(1...20)))
        default: await turns()
        }
    }

    /// Lets others run for a few turns, or not at all.
    func turns() async {
        for _ in 0..<number(0...3) { await yield() }
    }

    /// Starts a worker, which may be cancelled.
    @discardableResult
    func worker(_ work: @escaping () async throws -> Void) -> Worker {
        let worker = helper(work)
        workers.append(worker)
        return worker
    }

    /// Starts a task that nobody cancels, in one of the ways in which tasks are started.
    func helper(_ work: @escaping () async throws -> Void) -> Worker {
        let kind = TaskKind.allCases.randomElement(using: &random)!
        let manner = Manner.allCases.randomElement(using: &random)!
        nonisolated(unsafe) let work = work
        let task = kind.start(on: .current) {
            switch manner {
            case .itself: try await work()
            case .asyncLet:
                async let done: Void = work()
                try await done
            case .gathered: try await gather({ try await work() }, { await yield() })
            case .timeout: try await withTimeout(.seconds(1_000_000)) { try await work() }
            case .scope: try await withTaskScope { _ in try await work() }
            }
        }
        return Worker(task)
    }

    /// Cancels some of the workers, some of them twice, at moments that the seed decides.
    func strike() async throws {
        for victim in workers.shuffled(using: &random).prefix(number(0...workers.count)) {
            switch number(0...4) {
            case 0: try await waitAllTasksBlocked()
            case 1: try await sleep(for: .nanoseconds(number(1...30)))
            default: await turns()
            }
            victim.cancel()
            if chance(1, in: 4) {
                await yield()
                victim.cancel()
            }
        }
    }

    /// Waits until these workers have ended, those that nobody cancelled having done their work.
    func end(_ workers: [Worker]) async throws {
        for worker in workers { try await worker.end() }
    }

    /// Cancels some of the workers, and waits until all have ended.
    func strikeAndEnd() async throws {
        try await strike()
        try await end(workers)
    }

    // MARK: - The end

    fileprivate func expectNothingLeft() async throws {
        try await waitAllTasksBlocked()
        let engine = EventLoop.current.engine
        try check(engine.tasks.count == 1, "no task but the scenario's, of \(engine.tasks.count)")
        try check(engine.waiters.count == 0, "no waiter, of \(engine.waiters.count)")
        try check(engine.reactor.timerCount == 0, "no timer, of \(engine.reactor.timerCount)")
        try check(engine.observers.count == 0, "no watched descriptor, of \(engine.observers.count)")
    }
}
