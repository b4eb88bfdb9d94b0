// Starting a task on a loop, so that nobody but the loop's record of it can cancel it.

extension TaskOutcome where Success: Sendable {
    /// Starts `operation` as a task of the loop, with a record of its own.
    ///
    /// - Parameters:
    ///   - onStart: Called before the task takes its first step.
    ///   - onEnd: Called within its last.
    static func start(
        on loop: EventLoop, name: String?, fileID: String, line: UInt, isEager: Bool = false,
        onStart: ((TaskRecord) -> Void)? = nil, onEnd: ((TaskRecord, (any Error)?) -> Void)? = nil,
        _ operation: sending @escaping @isolated(any) () async throws -> Success
    ) -> TaskOutcome {
        let record = TaskOutcome(engine: loop.engine, name: name, fileID: fileID, line: line)
        record.onEnd = onEnd
        record.begin()
        onStart?(record)
        let body: @concurrent () async -> Void = {
            let task = record.enter()
            let failure: (any Error)?
            do {
                record.result = .success(try await operation())
                failure = nil
            } catch {
                record.result = .failure(error)
                failure = error
            }
            record.leave(task)
            record.end(with: failure)
        }
        // A task that is to start cancelled cannot start before it has a handle to be cancelled by.
        let startsNow = isEager && !loop.engine.isWindingUp
        record.started(startTask(on: loop, name: name, isEager: startsNow, body))
        return record
    }
}

/// In process mode without an executor preference, even an absent one: the runtime would look for it, under
/// a lock, at each switch. Otherwise with one, or the runtime would run the task on its own threads.
private func startTask(
    on loop: EventLoop, name: String?, isEager: Bool, _ body: sending @escaping @concurrent () async -> Void
) -> Task<Void, Never> {
    switch (loop.isProcessWide, isEager) {
    case (true, false): Task(name: name, operation: body)
    case (true, true): Task.immediate(name: name, operation: body)
    case (false, false): Task(name: name, executorPreference: loop.taskExecutor, operation: body)
    case (false, true): Task.immediate(name: name, executorPreference: loop.taskExecutor, operation: body)
    }
}
