// Blocking work leaves the loop: a thread of a pool does it while the task waits.

extension Engine {
    /// Parks the current task while a thread of the pool does the work, which sees the task's locals, and
    /// hears of its cancellation as `Task.isCancelled`.
    ///
    /// - Parameter whenFree: Called on the loop once no thread is at the work any more, which may be after
    ///   the wait; not on a loop that is closed by then.
    /// - Throws: What the work threw; `CancellationError`, with work that no thread had begun taken back;
    ///   ``ThreadPoolShutDown``; ``SystemError`` when no thread can be started.
    func offload<Success: Sendable>(
        to pool: ThreadPool, for reason: WaitReason, onCancel rule: ThreadPool.CancellationRule,
        whenFree: (@Sendable () -> Void)? = nil, _ work: sending @escaping () throws -> Success
    ) async throws -> Success {
        guard !Task.isCancelled else {
            // No thread for nobody.
            whenFree?()
            throw CancellationError()
        }
        let result = SharedResult<Success>()
        let outcome = Outcome<Success>()
        nonisolated(unsafe) let work = work
        let job = OffloadedJob()
        let task = Task(executorPreference: job) {
            outcome.result = Result {
                try Task.checkCancellation()
                return try work()
            }
        }
        let ticket: UInt64
        do {
            ticket = try pool.submit({ job.run() }, announce: { result.set(outcome.result!) })
        } catch {
            task.cancel()
            job.run()
            whenFree?()
            throw error
        }

        offloadsUnderWay += 1
        defer { offloadsUnderWay -= 1 }
        let waiters = WaitQueue(for: reason)
        result.wake(waiters, of: self, after: whenFree)
        // Always parks, however quick the work was: the others have their turn, as at each offload.
        repeat {
            guard await suspend(in: waiters) == .cancelled, result.current == nil else { continue }
            task.cancel()
            if pool.withdraw(ticket) {
                job.run()
                whenFree?()
                throw CancellationError()
            }
            if rule == .abandon { throw CancellationError() }
            while result.current == nil { await suspendUncancellably(in: waiters) }
        } while result.current == nil
        return try result.current!.get()
    }
}

/// What the work's thread leaves for itself: it announces the result when it is free for other work.
private final class Outcome<Success: Sendable>: @unchecked Sendable {
    var result: Result<Success, any Error>?
}

/// The executor of one task that takes one step. It runs when and where it is told, so that a plain thread
/// can do a task's work: a task alone has task-locals and knows of its cancellation.
private final class OffloadedJob: TaskExecutor, @unchecked Sendable {
    // Set while the task is made, before another thread knows of it.
    private var job: UnownedJob?

    func enqueue(_ job: consuming ExecutorJob) {
        precondition(self.job == nil)
        self.job = UnownedJob(job)
    }

    /// Runs the task to its end. Once; also for work that is not to be done, so that the runtime lets it
    /// go: its task is cancelled before.
    func run() {
        job!.runSynchronously(on: asUnownedTaskExecutor())
    }
}
