// Starting a task on a loop, so that nobody but the loop's record of it can cancel it.

/// A record with what the task returned or threw.
///
/// Compiled into the program that uses it: there the type is known, and its metadata need not be looked up.
@usableFromInline
final class TaskOutcome<Success>: TaskRecord, @unchecked Sendable {
    /// Set before the record's end, and not changed afterwards.
    @usableFromInline final var result: Result<Success, any Error>?

    @inlinable
    override init(on loop: EventLoop, name: String?, fileID: String, line: UInt) {
        super.init(on: loop, name: name, fileID: fileID, line: line)
    }
}

extension TaskOutcome where Success: Sendable {
    /// Starts the operation as the record's task.
    @inlinable
    func start(
        on loop: EventLoop, isEager: Bool = false,
        _ operation: sending @escaping @isolated(any) () async throws -> Success
    ) {
        start(on: loop, isEager: isEager) { () async -> (any Error)? in
            do {
                self.result = .success(try await operation())
                return nil
            } catch {
                self.result = .failure(error)
                return error
            }
        }
    }
}

extension TaskRecord {
    /// Starts the record's task.
    ///
    /// In process mode without an executor preference, even an absent one: the runtime would look for it,
    /// under a lock, at each switch. Otherwise with one, or the runtime would run the task on its own
    /// threads.
    ///
    /// - Parameter operation: Keeps its value, and returns its error.
    @usableFromInline
    func start(
        on loop: EventLoop, isEager: Bool, _ operation: sending @escaping @concurrent () async -> (any Error)?
    ) {
        begin()
        // A task that is to start cancelled cannot start before it has a handle to be cancelled by.
        let startsNow = isEager && !engine.isWindingUp
        nonisolated(unsafe) let operation = operation
        // Closures are written where the runtime takes them: each conversion would be a step of its own.
        let task =
            switch (loop.isProcessWide, startsNow) {
            case (true, false):
                Task(name: name) { await self.run(operation) }
            case (true, true):
                Task.immediate(name: name) { await self.run(operation) }
            case (false, false):
                Task(name: name, executorPreference: loop.taskExecutor) { await self.run(operation) }
            case (false, true):
                Task.immediate(name: name, executorPreference: loop.taskExecutor) {
                    await self.run(operation)
                }
            }
        started(task)
    }

    @concurrent
    private func run(_ operation: @concurrent () async -> (any Error)?) async {
        let task = enter()
        let failure = await operation()
        leave(task)
        end(with: failure)
    }
}
