/// The task whose end ends a run.
final class MainTask<Success: Sendable>: @unchecked Sendable {
    private var outcome: Result<Success, any Error>?
    private var task: Task<Void, Never>?

    init(
        on loop: EventLoop, _ body: sending @escaping @isolated(any) () async throws -> Success
    ) {
        // Without process mode the runtime would run the task on its own threads, but for the preference.
        let preference: (any TaskExecutor)? = loop.isProcessWide ? nil : loop.taskExecutor
        task = Task(name: "main", executorPreference: preference) {
            do {
                self.outcome = .success(try await body())
            } catch {
                self.outcome = .failure(error)
            }
        }
    }

    var isDone: Bool { outcome != nil }

    var result: Result<Success, any Error> { outcome! }

    func cancel() { task?.cancel() }
}
