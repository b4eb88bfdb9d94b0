import Synchronization

/// What a loop knows of a task that it owns, whatever the task returns.
///
/// Held by the loop until the task has ended, and by the task's handles. Apart from what the task returns
/// because code that is generic over a user's type costs a look-up of that type's metadata at each step.
class TaskRecord: TaskNode, @unchecked Sendable {
    private struct State {
        /// From its start to its end.
        var task: Task<Void, Never>?
        var cancellationCount = 0
        var isDone = false
        var isRetrieved = false
        var failure: (any Error)?
    }

    final let name: String?
    final let fileID: String
    final let line: UInt
    private let state = Mutex(State())
    /// Where the loop keeps it. On the loop's thread, like the next.
    private final var ownership: UInt64 = 0
    final var onEnd: ((TaskRecord, (any Error)?) -> Void)?
    /// Made for the first who waits.
    private(set) final var completion: Completion?

    init(engine: Engine, name: String?, fileID: String, line: UInt) {
        self.name = name
        self.fileID = fileID
        self.line = line
        super.init(engine: engine, parentID: engine.currentNode?.idAsParent ?? 0)
    }

    deinit {
        let lost: (any Error)? = state.withLock { $0.isRetrieved ? nil : $0.failure }
        guard let lost, !(lost is CancellationError) else { return }
        engine.report(UnhandledError(.taskFailed, lost, name: name, fileID: fileID, line: line))
    }

    override var label: String { name ?? "task #\(id)" }

    // MARK: - Its life

    /// The task is about to exist. From here to its end the loop keeps the record.
    final func begin() {
        ownership = engine.tasks.insert(self)
    }

    /// The task exists, and may have ended already if it was started eagerly.
    final func started(_ task: Task<Void, Never>) {
        let isCancelled = state.withLock { state in
            if !state.isDone { state.task = task }
            return state.cancellationCount > 0
        }
        if isCancelled { task.cancel() }
        if engine.isWindingUp { cancel() }
    }

    /// The task has ended. On the loop's thread.
    final func end(with failure: (any Error)?) {
        state.withLock {
            $0.isDone = true
            $0.failure = failure
            $0.task = nil
        }
        engine.tasks.remove(ownership)
        completion?.finish()
        onEnd?(self, failure)
        onEnd = nil
    }

    /// The loop goes before the task has ended, which it never will.
    final func loopIsClosing() {
        engine.report(
            UnhandledError(.taskLeftBehind, EventLoopError.closed, name: name, fileID: fileID, line: line))
    }

    final func cancel() {
        let task = state.withLock { state in
            state.cancellationCount += 1
            return state.task
        }
        guard let task else { return }
        task.cancel()
        cancelWait()
    }

    // MARK: - Asking

    final func markRetrieved() { state.withLock { $0.isRetrieved = true } }

    final var isDone: Bool { state.withLock { $0.isDone } }

    final var cancellationCount: Int { state.withLock { $0.cancellationCount } }

    // MARK: - Waiting for its end

    /// Waits until the task has ended, whatever happens to who waits: a cancellation is passed on to the
    /// task.
    final func waitUntilEnded() async {
        markRetrieved()
        if isDone { return }
        guard engine.isOnLoopThread else { return await waitElsewhere() }
        if await completionOfMine.wait() == .cancelled {
            cancel()
            if !isDone { await completionOfMine.waitUncancellably() }
        }
    }

    /// Waits until the task has ended, or who waits is cancelled, which leaves the task alone.
    final func waitUntilEndedOrCancelled() async throws {
        engine.assertOnLoop("shield")
        markRetrieved()
        if isDone { return }
        if await completionOfMine.wait() == .cancelled { throw CancellationError() }
    }

    final func addCallback(_ callback: @escaping () -> Void) {
        engine.assertMayBeUsedHere("addDoneCallback")
        if isDone {
            engine.schedule(ScheduledCall(engine: engine, callback))
        } else {
            completionOfMine.addCallback(callback)
        }
    }

    private final var completionOfMine: Completion {
        precondition(
            engine.currentNode !== self, "A task cannot wait for its own end: await it in another one.")
        if let completion { return completion }
        let made = Completion(engine: engine, reason: .task)
        completion = made
        return made
    }

    /// From another loop, or from a thread of the runtime's.
    private func waitElsewhere() async {
        guard let task = state.withLock({ $0.task }) else { return }
        await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            cancel()
        }
    }
}

/// A record with what the task returned or threw.
final class TaskOutcome<Success>: TaskRecord, @unchecked Sendable {
    /// Set before the record's end, and not changed afterwards.
    var result: Result<Success, any Error>?
}
