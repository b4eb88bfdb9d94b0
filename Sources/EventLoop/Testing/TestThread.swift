import Synchronization

/// A thread for a blocking function, whose end a task can await without blocking a thread of the runtime's.
final class TestThread: Sendable {
    private enum State: Sendable {
        case runs
        case isAwaited(CheckedContinuation<Void, Never>)
        case isOver
    }

    private let state = Mutex(State.runs)

    /// - Throws: ``SystemError`` when the process can have no more threads.
    init(_ body: @escaping @Sendable () -> Void) throws(SystemError) {
        let code = startThread { [self] in
            body()
            let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
                defer { state = .isOver }
                if case .isAwaited(let continuation) = state { return continuation }
                return nil
            }
            waiter?.resume()
        }
        if code != 0 { throw SystemError(call: "pthread_create", code: code) }
    }

    /// Waits until the function has returned. For one task, once.
    func end() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if case .isOver = state { return true }
                state = .isAwaited(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
    }
}
