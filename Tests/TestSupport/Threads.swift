import Glibc

/// Runs `body` on a new thread and suspends until it has ended, without blocking a thread of the tests.
///
/// What the closure captured is gone by the time this returns.
public func onThread<Success: Sendable>(
    _ body: @escaping @Sendable () throws -> Success
) async throws -> Success {
    try await Thread(body).value
}

/// A thread of its own for a blocking function; it starts at once, whatever the runtime's threads are at.
public final class Thread<Success: Sendable>: Sendable {
    private struct State {
        var result: Result<Success, any Error>?
        var waiting: [CheckedContinuation<Success, any Error>] = []
    }

    private let state = Locked(State())

    public init(_ body: sending @escaping () throws -> Success) {
        startThread { () -> @Sendable () -> Void in
            let result = Result { try body() }
            return { self.end(with: result) }
        }
    }

    private func end(with result: Result<Success, any Error>) {
        let waiting = state.withLock { state in
            state.result = result
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(with: result) }
    }

    /// What the thread's function returned or threw.
    public var value: Success {
        get async throws {
            try await withCheckedThrowingContinuation { continuation in
                let result = state.withLock { state in
                    if state.result == nil { state.waiting.append(continuation) }
                    return state.result
                }
                if let result { continuation.resume(with: result) }
            }
        }
    }
}

private final class ThreadBody {
    var body: (() -> @Sendable () -> Void)?

    init(_ body: @escaping () -> @Sendable () -> Void) {
        self.body = body
    }
}

/// The body returns what is to be called once its captures are released.
private func startThread(_ body: @escaping () -> @Sendable () -> Void) {
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(ThreadBody(body)).toOpaque()
    let result = pthread_create(
        &thread, nil,
        { argument in
            let box = Unmanaged<ThreadBody>.fromOpaque(argument!).takeRetainedValue()
            let finish = box.body!()
            box.body = nil
            finish()
            return nil
        }, argument)
    precondition(result == 0, "No thread can be started: \(result).")
    pthread_detach(thread)
}
