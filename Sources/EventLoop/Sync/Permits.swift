/// A number of permits, and the tasks that wait for one: the core of semaphores and limiters.
///
/// When one is free, nobody waits: a permit that comes back goes to the first in line at once, so nobody can
/// take it first, and it counts as taken before that task goes on.
final class Permits {
    let engine: Engine
    private let waiters = WaitQueue(for: .permit)
    /// Below zero when so many more are taken than there should be.
    private(set) var free: Int

    init(_ count: Int, engine: Engine) {
        free = count
        self.engine = engine
    }

    var waitingCount: Int { waiters.count }

    func acquire() async throws {
        if free > 0 { try await engine.spendBudget() }
        if tryAcquire() { return }
        guard await engine.suspend(in: waiters) == .woken else { throw CancellationError() }
        if Task.isCancelled {
            add(1)
            throw CancellationError()
        }
    }

    func tryAcquire() -> Bool {
        guard free > 0 else { return false }
        free -= 1
        return true
    }

    /// Puts permits in, or takes some away if `count` is negative. Those in line get what is free then.
    func add(_ count: Int) {
        free += count
        while free > 0, engine.wakeFirst(in: waiters) { free -= 1 }
    }
}
