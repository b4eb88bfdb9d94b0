/// Lets a thread of a pool do work that blocks, and waits for its result; asyncio's to_thread, and with a
/// pool its run_in_executor.
///
///     let text = try await toThread { try readWholeFile(path) }
///
/// The work sees the task-local values of the task that awaits it, as asyncio's sees its context. It runs
/// outside the loop, so what belongs to the loop is not to be used there.
///
/// When the awaiting task is cancelled, work that no thread has begun is taken back. Work under way cannot
/// be interrupted: it finds `Task.isCancelled` true, and what becomes of the await is up to `rule`. Abandon
/// only work whose result may be lost, which an open descriptor may not.
///
/// - Parameters:
///   - pool: Whose threads do it.
///   - limiter: Of which the work needs a permit, besides a thread. It keeps the permit until it is done,
///     also when it was abandoned: the limit is of the work under way, and not of who waits for it.
///   - rule: Whether a cancellation ends the await at once, asyncio's way, or when the work is done.
///   - work: What to do. It may block.
/// - Returns: What the work returned.
/// - Throws: What the work threw; `CancellationError`; ``ThreadPoolShutDown``; ``SystemError`` when the
///   pool has no thread and none can be started. A pool with threads whose system has no more of them lets
///   the work wait.
/// - Precondition: A loop runs on this thread, and the limiter is that loop's.
public func toThread<Success: Sendable>(
    on pool: ThreadPool = .shared, limiter: CapacityLimiter? = nil,
    onCancel rule: ThreadPool.CancellationRule = .abandon, _ work: sending @escaping () throws -> Success
) async throws -> Success {
    let engine = EventLoop.current(for: "toThread").engine
    guard let limiter else {
        return try await engine.offload(to: pool, for: .thread, onCancel: rule, work)
    }
    let borrower = Borrower()
    try await limiter.acquire(for: borrower)
    return try await engine.offload(
        to: pool, for: .thread, onCancel: rule, whenFree: { limiter.release(for: borrower) }, work)
}

/// Who has a limiter's permit for work on a thread, which may outlive the task that asked for it.
private final class Borrower: Sendable {}
