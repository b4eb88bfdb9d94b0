/// A task of a loop in the hands of other threads; what asyncio's run_coroutine_threadsafe returns.
///
/// An error that it ends with is not lost: whoever waits for the task gets it; if nobody did by the time
/// the handle is gone, the loop's error handler gets it. A cancellation, or a loop that was closed, is not
/// such an error.
///
/// It may be used from any thread and any task. It does not keep its loop alive.
public final class ThreadSafeTask<Success: Sendable>: Sendable, CustomStringConvertible {
    private let core: ThreadSafeTaskCore<Success>

    fileprivate init(_ core: ThreadSafeTaskCore<Success>) {
        self.core = core
    }

    /// The name that it was spawned with.
    public var name: String? { core.name }

    /// Whether there is a result: ``wait(atMost:)`` and ``value`` give it without waiting.
    public var isDone: Bool { core.result.current != nil }

    /// Whether ``cancel()`` was called.
    public var isCancelled: Bool { core.isCancelled }

    /// Asks the task to end: its next await in this library, or the one under way, throws
    /// `CancellationError`. A task that its loop has not taken up yet ends here and now, without having
    /// run.
    public func cancel() {
        core.cancel()
    }

    /// Blocks the calling thread until the task has ended.
    ///
    /// Not for a thread that runs another loop: all of that loop would wait. Await ``value`` there.
    ///
    /// - Parameter timeout: How long at most, on the real clock; nil: until it ends. The task goes on after
    ///   it.
    /// - Returns: What the task returned.
    /// - Throws: What the task threw; `CancellationError` when it was cancelled before it ran;
    ///   ``EventLoopError/closed`` when its loop ended first; ``TimeoutError``.
    /// - Precondition: The calling thread does not run the task's loop, unless the task has ended.
    @discardableResult
    public func wait(atMost timeout: Duration? = nil) throws -> Success {
        let deadline = timeout.map { EventLoop.Instant.real(in: $0) } ?? .never
        guard let result = core.wait(until: deadline) else { throw TimeoutError() }
        return try result.get()
    }

    /// What the task returned, once it has ended.
    ///
    /// When the awaiting task is cancelled, so is this one, and the await lasts until it has ended, as that
    /// of ``LoopTask/value`` does.
    ///
    /// - Throws: What the task threw; `CancellationError` when it was cancelled before it ran;
    ///   ``EventLoopError/closed`` when its loop ended first.
    public var value: Success {
        get async throws { try await core.value().get() }
    }

    public var description: String {
        "task \(name ?? "(unnamed)") spawned at \(core.fileID):\(core.line)"
    }
}

extension EventLoop {
    /// Starts a task that this loop owns, from any thread; asyncio's run_coroutine_threadsafe.
    ///
    ///     let count = try loop.spawnThreadSafe { try await countUsers() }.wait(atMost: .seconds(5))
    ///
    /// It takes its first step once the loop, if it runs, has come to it. The operation is nonisolated
    /// unless it says otherwise.
    ///
    /// - Parameter name: How reports call it.
    /// - Returns: The handle to wait for it or to cancel it by; the task goes on without it. When the loop
    ///   is closed, it has ended with ``EventLoopError/closed``.
    @discardableResult
    public func spawnThreadSafe<Success: Sendable>(
        name: String? = nil, fileID: String = #fileID, line: UInt = #line,
        _ operation: sending @escaping @isolated(any) () async throws -> Success
    ) -> ThreadSafeTask<Success> {
        let core = ThreadSafeTaskCore(on: engine, name: name, fileID: fileID, line: line, operation)
        let start = ThreadSafeStart(core: core)
        engine.post(.perform { start.start() })
        return ThreadSafeTask(core)
    }
}

/// A start that lies in a loop's inbox. One that is dropped there, because the loop is over, ends its task.
private final class ThreadSafeStart<Success: Sendable>: Sendable {
    private let core: ThreadSafeTaskCore<Success>

    init(core: ThreadSafeTaskCore<Success>) {
        self.core = core
    }

    deinit {
        core.endUnlessStarted(with: EventLoopError.closed)
    }

    func start() {
        core.start(on: EventLoop.current)
    }
}
