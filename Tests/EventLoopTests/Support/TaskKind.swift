@testable import EventLoop

/// The two ways in which a loop hears that a task is cancelled: of its own tasks by their handles, of all
/// others by a handler for each wait.
enum TaskKind: String, CaseIterable {
    case spawned
    case plain

    func start<Success: Sendable>(
        on loop: EventLoop, _ operation: sending @escaping @isolated(any) () async throws -> Success
    ) -> StartedTask<Success> {
        switch self {
        case .spawned: .spawned(loop.spawn(operation))
        case .plain: .plain(Task(executorPreference: loop.executor, operation: operation))
        }
    }
}

/// A handle of a task of either kind.
enum StartedTask<Success: Sendable>: Sendable {
    case spawned(LoopTask<Success>)
    case plain(Task<Success, any Error>)

    func cancel() {
        switch self {
        case .spawned(let task): task.cancel()
        case .plain(let task): task.cancel()
        }
    }

    var value: Success {
        get async throws {
            switch self {
            case .spawned(let task): try await task.value
            case .plain(let task): try await task.value
            }
        }
    }
}
