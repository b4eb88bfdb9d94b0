/// The task whose end ends a run.
final class MainTask<Success: Sendable>: @unchecked Sendable {
    private(set) var isDone = false
    private var outcome: Result<Success, any Error>?
    private var task: Task<Void, any Error>?
    private let wait: TaskWait

    init(
        on loop: EventLoop, _ body: sending @escaping @isolated(any) () async throws -> Success
    ) {
        wait = TaskWait(engine: loop.engine)
        task = startTask(on: loop, name: "main") { [wait] in
            let task = wait.enter()
            defer { wait.leave(task) }
            do {
                self.outcome = .success(try await body())
            } catch {
                self.outcome = .failure(error)
            }
            self.isDone = true
        }
    }

    var result: Result<Success, any Error> { outcome! }

    func cancel() {
        task?.cancel()
        wait.cancelWait()
    }
}

/// Starts a task that runs on the loop, and that nobody else can cancel.
///
/// In process mode without an executor preference, even an absent one: the runtime would look for it, under
/// a lock, at each switch. Otherwise with one, or the runtime would run the task on its own threads.
func startTask<Success: Sendable>(
    on loop: EventLoop, name: String?,
    _ operation: sending @escaping @concurrent () async throws -> Success
) -> Task<Success, any Error> {
    if loop.isProcessWide {
        return Task(name: name, operation: operation)
    } else {
        return Task(name: name, executorPreference: loop.taskExecutor, operation: operation)
    }
}
