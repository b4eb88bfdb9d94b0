/// What the handle and the loop share of a thread-safe task.
final class ThreadSafeTaskCore<Success: Sendable>: Sendable, ClosingObserver {
    private enum Phase {
        case waiting(@isolated(any) () async throws -> Success)
        case starting
        case running(LoopTask<Void>)
        case over
    }

    private struct State {
        var phase: Phase
        var isCancelled = false
        var isRetrieved = false
        /// Hears of an error that nobody looks at. Nil before the start, and when there is no such error any
        /// more. Not the loop: a handle does not keep that.
        var errorHandler: ErrorHandler?
    }

    let name: String?
    let fileID: String
    let line: UInt
    let result = SharedResult<Success>()
    /// The loop's engine by its address, which is no other's as long as there is no result.
    private let engine: ObjectIdentifier
    private let state: Monitor<State>

    init(
        on engine: Engine, name: String?, fileID: String, line: UInt,
        _ operation: sending @escaping @isolated(any) () async throws -> Success
    ) {
        self.name = name
        self.fileID = fileID
        self.line = line
        self.engine = ObjectIdentifier(engine)
        state = Monitor(State(phase: .waiting(operation)))
    }

    deinit {
        guard let errorHandler = state.withLock({ $0.errorHandler }),
            case .failure(let error) = result.current,
            !(error is CancellationError), error as? EventLoopError != .closed
        else { return }
        errorHandler.report(UnhandledError(.taskFailed, error, name: name, fileID: fileID, line: line))
    }

    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    // MARK: - Waiting for it

    func wait(until deadline: EventLoop.Instant) -> Result<Success, any Error>? {
        precondition(
            result.current != nil || !isOnItsLoop,
            "wait() was called on the thread of the task's own loop, which would wait for itself: await value."
        )
        guard let outcome = result.wait(until: deadline) else { return nil }
        markRetrieved()
        return outcome
    }

    func value() async -> Result<Success, any Error> {
        markRetrieved()
        return await withTaskCancellationHandler {
            await result.value(from: engine, for: .task)
        } onCancel: {
            cancel()
        }
    }

    private func markRetrieved() {
        let errorHandler = state.withLock { state in
            state.isRetrieved = true
            return state.errorHandler.take()
        }
        // Perhaps the last reference, which is not to go under the lock.
        _ = errorHandler
    }

    private var isOnItsLoop: Bool {
        CurrentLoop.value.map { ObjectIdentifier($0.engine) } == engine
    }

    // MARK: - Its life

    /// On the loop's thread.
    func start(on loop: EventLoop) {
        nonisolated(unsafe) var operation: (@isolated(any) () async throws -> Success)?
        state.withLock { state in
            guard case .waiting(let waiting) = state.phase else { return }
            operation = waiting
            state.phase = .starting
            if !state.isRetrieved { state.errorHandler = loop.engine.errorHandler }
        }
        guard let operation else { return }
        let observation = loop.engine.closingObservers.insert(self)
        let task = loop.spawn(name: name, fileID: fileID, line: line) { [self, engine = loop.engine] in
            let outcome: Result<Success, any Error>
            do { outcome = .success(try await operation()) } catch { outcome = .failure(error) }
            engine.closingObservers.remove(observation)
            end(with: outcome)
        }
        let isCancelled = state.withLock { state in
            state.phase = .running(task)
            return state.isCancelled
        }
        if isCancelled { task.cancel() }
    }

    func cancel() {
        let phase = state.withLock { state in
            state.isCancelled = true
            return state.phase
        }
        switch phase {
        case .waiting: endUnlessStarted(with: CancellationError())
        case .running(let task): task.cancel()
        case .starting, .over: break
        }
    }

    func endUnlessStarted(with error: any Error) {
        // Released outside the lock, with whatever the operation has captured.
        var phase: Phase? = state.withLock { state in
            guard case .waiting = state.phase else { return nil }
            defer { state.phase = .over }
            return state.phase
        }
        guard phase != nil else { return }
        phase = nil
        result.set(.failure(error))
    }

    func loopIsClosing() {
        end(with: .failure(EventLoopError.closed))
    }

    private func end(with outcome: Result<Success, any Error>) {
        // Released outside the lock.
        let former = state.withLock { state in
            defer { state.phase = .over }
            return state.phase
        }
        _ = former
        result.set(outcome)
        if case .success = outcome { markRetrieved() }
    }
}
