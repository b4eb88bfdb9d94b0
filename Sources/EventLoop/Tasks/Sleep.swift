/// Suspends the current task for at least `duration`, with nanosecond resolution.
///
/// Zero or less yields once: other ready tasks run, and nothing waits for a timer (asyncio's sleep(0)).
///
/// - Throws: `CancellationError` as soon as the task is cancelled; the timer is gone by then.
/// - Precondition: A loop runs on this thread.
public func sleep(for duration: Duration) async throws {
    let engine = EventLoop.current(for: "sleep(for:)").engine
    if duration <= .zero {
        try await yieldOrThrow(engine)
    } else {
        try await park(until: engine.reactor.now.advanced(by: duration), on: engine)
    }
}

/// Suspends the current task until `deadline` has come on its loop's clock; one in the past yields once.
///
/// Tasks with the same deadline go on in the order in which they went to sleep.
///
/// - Throws: `CancellationError` as soon as the task is cancelled; the timer is gone by then.
/// - Precondition: A loop runs on this thread.
public func sleep(until deadline: EventLoop.Instant) async throws {
    let engine = EventLoop.current(for: "sleep(until:)").engine
    if deadline <= engine.reactor.now {
        try await yieldOrThrow(engine)
    } else {
        try await park(until: deadline, on: engine)
    }
}

/// Lets everything else that is ready run once, and the loop look for events, before it goes on.
///
/// Not a point of cancellation, like `Task.yield()`, which does the same on a loop at a higher price.
///
/// - Precondition: A loop runs on this thread.
public func yield() async {
    let engine = EventLoop.current(for: "yield()").engine
    await withUnsafeContinuation { engine.append($0) }
}

private func yieldOrThrow(_ engine: Engine) async throws {
    try Task.checkCancellation()
    await yield()
    try Task.checkCancellation()
}

@inline(__always)
private func park(until deadline: EventLoop.Instant, on engine: Engine) async throws {
    let token = engine.reserveWait(for: .timer)
    let timer = engine.reactor.startTimer(at: deadline, token: token.rawValue)
    if await engine.park(token) == .cancelled {
        engine.reactor.cancelTimer(timer)
        throw CancellationError()
    }
}
