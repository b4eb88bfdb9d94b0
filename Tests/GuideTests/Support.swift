import EventLoop

/// Runs `body` on a fresh loop whose time is virtual, on this thread, and closes the loop.
func virtually<Success: Sendable>(
    _ body: sending @escaping @isolated(any) () async throws -> Success
) throws -> Success {
    let loop = try EventLoop(clock: .virtual)
    let result = Result { try loop.run(body) }
    try loop.close()
    return try result.get()
}

/// How much time passes on the current loop's clock.
func elapsed(_ body: () async throws -> Void) async rethrows -> Duration {
    let start = EventLoop.current.now
    try await body()
    return start.duration(to: EventLoop.current.now)
}

struct Failed: Error, Equatable {}
