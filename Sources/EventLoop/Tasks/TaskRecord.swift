import Synchronization

/// What a loop knows of a task that it owns, whatever the task returns.
///
/// Held by the loop until the task has ended, and by the task's handles. Apart from what the task returns
/// because code that is generic over a user's type costs a look-up of that type's metadata at each step.
@usableFromInline
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

    @usableFromInline
    init(on loop: EventLoop, name: String?, fileID: String, line: UInt) {
        self.name = name
        self.fileID = fileID
        self.line = line
        super.init(engine: loop.engine, parentID: loop.engine.currentNode?.idAsParent ?? 0)
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
        if isCancelled {
            task.cancel()
            cancelWait()
        }
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
        guard let task else {
            // One that starts eagerly has no handle yet: others' requests wait for it, its own does not.
            if engine.currentNode === self { withUnsafeCurrentTask { $0?.cancel() } }
            return
        }
        task.cancel()
        cancelWait()
    }

    // MARK: - Asking

    final func markRetrieved() { state.withLock { $0.isRetrieved = true } }

    final var isDone: Bool { state.withLock { $0.isDone } }

    /// What it threw, once it has ended.
    final var failure: (any Error)? { state.withLock { $0.failure } }

    final var cancellationCount: Int { state.withLock { $0.cancellationCount } }

    // MARK: - Waiting for its end

    /// Waits until the task has ended, whatever happens to who waits: a cancellation is passed on to the
    /// task.
    @usableFromInline
    final func waitUntilEnded() async {
        markRetrieved()
        if isDone { return }
        guard engine.isOnLoopThread else { return await waitElsewhere() }
        assertIsNotCurrent()
        if await completionOfMine.wait() == .cancelled {
            cancel()
            if !isDone { await completionOfMine.waitUncancellably() }
        }
    }

    /// Waits until the task has ended, or who waits is cancelled, which leaves the task alone.
    final func waitUntilEndedOrCancelled() async throws {
        engine.assertOnLoop("shield")
        assertIsNotCurrent()
        if !isDone, await completionOfMine.wait() == .cancelled { throw CancellationError() }
        markRetrieved()
    }

    /// Calls back in the turn after the task's end. The call may be cancelled.
    final func addCallback(_ callback: @escaping () -> Void) -> ScheduledCall {
        if isDone {
            let call = ScheduledCall(engine: engine, callback)
            engine.schedule(call)
            return call
        }
        return completionOfMine.addCallback(callback)
    }

    /// Traps when the running task is to wait for itself.
    final func assertIsNotCurrent() {
        precondition(
            engine.currentRecord !== self, "A task cannot wait for its own end: await it in another one.")
    }

    /// Traps unless the running task may wait, on its own loop, for this one among others.
    final func assertMayBeAwaited(on engine: Engine, by caller: @autoclosure () -> String) {
        precondition(
            engine === self.engine,
            "\(caller()) was given a task of another event loop: wait for it there, or await its value.")
        assertIsNotCurrent()
    }

    private final var completionOfMine: Completion {
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
