@_spi(ExperimentalCustomExecutors) import _Concurrency
import Glibc
import Synchronization

extension EventLoop {
    /// Runs `body` as the main task of a new loop that has the whole process: until it ends, every plain
    /// `Task`, `async let`, task group, `Task.sleep` and `@MainActor` function runs on this thread.
    ///
    /// The body has the isolation of the place where it is written: in `@MainActor` code it may use the
    /// main actor's state without await, in nonisolated code it is nonisolated, which is a little faster.
    ///
    /// When the body has ended, tasks that were spawned and have not ended are cancelled and awaited, and
    /// an error that nobody looked at is reported. Plain `Task`s that wait in this library get a
    /// `CancellationError`; those that wait elsewhere cannot be found, and are left behind, like those that
    /// never wait. Then the process gets its former executors back. `run` may be called again.
    ///
    /// The first SIGINT cancels the body. If that ends the body with a `CancellationError`, the process
    /// ends by SIGINT once everything has been cleaned up; a body that catches it and returns has its value
    /// returned. A second SIGINT ends the process at once. None of this happens in a program that handles
    /// or ignores SIGINT itself; and while ``Signals`` listens for SIGINT, that has it.
    ///
    /// Call it from a synchronous `main`, before other threads have started tasks: from then on their
    /// nonisolated code would run here, too.
    ///
    /// - Parameters:
    ///   - clock: What time is to the loop, `Task.sleep` included: see ``ClockKind``.
    ///   - seed: Draws the order in which ready tasks run.
    ///   - trace: Records what the loop does, from the main task's first step to the run's end.
    ///   - debug: Whether the loop runs in debug mode: see ``isDebugging``. Nil: the environment variable
    ///     EVENTLOOP_DEBUG says so, if it is neither empty nor 0.
    /// - Returns: What the body returned.
    /// - Throws: What the body threw; ``EventLoopError/alreadyRunning`` inside a loop,
    ///   ``EventLoopError/processModeTaken`` when another thread is in here, both before anything else;
    ///   ``SystemError`` when no loop can be made.
    @discardableResult
    public static func run<Success: Sendable>(
        clock: ClockKind = .monotonic, seed: UInt64? = nil, debug: Bool? = nil, trace: Trace? = nil,
        fileID: String = #fileID, line: UInt = #line,
        @_inheritActorContext @_implicitSelfCapture
        _ body: sending @escaping @isolated(any) () async throws -> Success
    ) throws -> Success {
        guard currentIfAny == nil else { throw EventLoopError.alreadyRunning }
        guard ProcessMode.isTaken.exchange(true, ordering: .acquiringAndReleasing) == false else {
            throw EventLoopError.processModeTaken
        }
        defer { ProcessMode.isTaken.store(false, ordering: .releasing) }
        let loop = try EventLoop(isProcessWide: true, clock: clock, seed: seed, debug: debug)
        if let trace { loop.record(into: trace) }
        ProcessMode.install(loop)
        defer { ProcessMode.uninstall() }
        let main = TaskOutcome<Success>(on: loop, name: "main", fileID: fileID, line: line)
        main.start(on: loop, body)
        let interrupt = Interrupt(engine: loop.engine, cancel: main.cancel)
        try loop.run(toTheEndOf: main)
        try loop.close()
        let result = main.result!
        if interrupt.end(), case .failure(is CancellationError) = result {
            // All is cleaned up, and the default action is back: the process ends as the signal would have
            // it, but with what it has printed.
            fflush(nil)
            raise(SIGINT)
        }
        return try result.get()
    }
}

/// The process's executors: whose they are, and giving them back.
private enum ProcessMode {
    static let isTaken = Atomic<Bool>(false)

    /// What the factory hands out while it is asked, which is during `install` only.
    nonisolated(unsafe) static var loop: EventLoop?

    static func install(_ loop: EventLoop) {
        self.loop = loop
        _createExecutors(factory: LoopExecutorFactory.self)
    }

    static func uninstall() {
        _createExecutors(factory: PlatformExecutorFactory.self)
        loop = nil
    }
}

private struct LoopExecutorFactory: ExecutorFactory {
    static var mainExecutor: any MainExecutor { ProcessMode.loop!.loopSerialExecutor }
    static var defaultExecutor: any TaskExecutor { ProcessMode.loop!.taskExecutor }
}
