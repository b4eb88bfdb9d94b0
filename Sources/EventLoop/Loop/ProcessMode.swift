@_spi(ExperimentalCustomExecutors) import _Concurrency
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
    /// `CancellationError`; those that wait elsewhere cannot be found, and are left behind. Then the
    /// process gets its former executors back. `run` may be called again.
    ///
    /// Call it from a synchronous `main`, before other threads have started tasks: from then on their
    /// nonisolated code would run here, too.
    ///
    /// - Returns: What the body returned.
    /// - Throws: What the body threw; ``EventLoopError/alreadyRunning`` inside a loop,
    ///   ``EventLoopError/processModeTaken`` when another thread is in here, both before anything else;
    ///   ``SystemError`` when no loop can be made.
    @discardableResult
    public static func run<Success: Sendable>(
        @_inheritActorContext @_implicitSelfCapture
        _ body: sending @escaping @isolated(any) () async throws -> Success
    ) throws -> Success {
        guard currentIfAny == nil else { throw EventLoopError.alreadyRunning }
        guard ProcessMode.isTaken.exchange(true, ordering: .acquiringAndReleasing) == false else {
            throw EventLoopError.processModeTaken
        }
        defer { ProcessMode.isTaken.store(false, ordering: .releasing) }
        let loop = try EventLoop(isProcessWide: true)
        ProcessMode.install(loop)
        defer { ProcessMode.uninstall() }
        let main = MainTask(on: loop, body)
        try loop.run(toTheEndOf: main)
        try loop.windUp()
        return try main.result.get()
    }

    /// Cancels what is left and runs until it has ended, then closes the loop.
    func windUp() throws {
        engine.isWindingUp = true
        for task in engine.tasks.elements { task.cancel() }
        engine.perform { [engine] in engine.cancelAllWaits() }
        while !(engine.isIdle && engine.tasks.count == 0) {
            try run(until: { engine.isIdle && engine.tasks.count == 0 })
        }
        engine.close()
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
