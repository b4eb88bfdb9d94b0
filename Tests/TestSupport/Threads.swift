import Glibc

/// Runs `body` on a new thread and suspends until it has ended, without blocking a thread of the tests.
///
/// What the closure captured is gone by the time this returns.
public func onThread<Success: Sendable>(
    _ body: @escaping @Sendable () throws -> Success
) async throws -> Success {
    try await Thread(body).value
}

/// A thread of its own for a blocking function; it starts at once.
public final class Thread<Success: Sendable>: Sendable {
    private let task: Task<Success, any Error>

    public init(_ body: sending @escaping () throws -> Success) {
        nonisolated(unsafe) let body = body
        task = Task.detached {
            try await withCheckedThrowingContinuation { continuation in
                startThread { () -> @Sendable () -> Void in
                    let result = Result { try body() }
                    return { continuation.resume(with: result) }
                }
            }
        }
    }

    /// What the thread's function returned or threw.
    public var value: Success {
        get async throws { try await task.value }
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
