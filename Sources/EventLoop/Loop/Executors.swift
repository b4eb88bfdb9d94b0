@_spi(ExperimentalCustomExecutors) @_spi(ExperimentalScheduling) import _Concurrency

// The runtime hands its jobs to executors. A loop has two: one for code that is isolated to nothing, by
// task executor preference or as the process's default executor, and one for code that is isolated to
// an actor, or to the main actor. They are two objects because a job must run as coming from the one
// that it was given to; run as the other's, it would enqueue itself again at each switch.
//
// They stay internal: public types cannot conform to the toolchain's SPI protocols.

/// Runs code that is isolated to nothing.
final class LoopTaskExecutor: TaskExecutor, SchedulingExecutor, @unchecked Sendable {
    let engine: Engine

    init(engine: Engine) {
        self.engine = engine
    }

    func enqueue(_ job: consuming ExecutorJob) {
        engine.enqueue(UnownedJob(job), isIsolated: false)
    }

    func enqueue<C: Clock>(
        _ job: consuming ExecutorJob, after delay: C.Duration, tolerance: C.Duration?, clock: C
    ) {
        engine.enqueue(UnownedJob(job), after: asDuration(delay, of: clock))
    }
}

/// Runs code that is isolated to an actor of the loop, or, in process mode, to the main actor.
final class LoopSerialExecutor: MainExecutor, SchedulingExecutor, @unchecked Sendable {
    let engine: Engine

    init(engine: Engine) {
        self.engine = engine
    }

    func enqueue(_ job: consuming ExecutorJob) {
        engine.enqueue(UnownedJob(job), isIsolated: true)
    }

    func enqueue<C: Clock>(
        _ job: consuming ExecutorJob, after delay: C.Duration, tolerance: C.Duration?, clock: C
    ) {
        engine.enqueue(UnownedJob(job), after: asDuration(delay, of: clock))
    }

    func `is`(_ other: UnownedSerialExecutor) -> Bool {
        unsafeBitCast(other, to: (UInt, UInt).self).0 == UInt(bitPattern: ObjectIdentifier(self))
    }

    func checkIsolated() {
        precondition(
            engine.isOnLoopThread,
            "Code that is isolated to an event loop's actor was called on another thread.")
    }

    func isIsolatingCurrentContext() -> Bool? {
        engine.isOnLoopThread
    }

    // A run loop is asked of the main executor. Only an async `main` would call it, before any
    // EventLoop.run could have put this executor in its place.
    func run() throws {
        preconditionFailure("Call EventLoop.run { … } to run an event loop.")
    }

    func stop() {
        engine.stop()
    }
}

extension UnownedSerialExecutor {
    /// None: what the runtime runs code on that is isolated to nothing and prefers nothing (an executor of
    /// zeros, by its ABI). Such a job that came from one of a loop's executors would go to the process's
    /// default executor first, which is threads of the runtime's, unless a loop has the process.
    static let none = unsafeBitCast((0, 0), to: UnownedSerialExecutor.self)
}

/// A delay as the runtime passes it: of the standard clocks' type, or of a clock that no loop can serve.
private func asDuration<C: Clock>(_ delay: C.Duration, of clock: C) -> Duration {
    guard let duration = delay as? Duration else {
        preconditionFailure(
            "An event loop can wait on clocks that count in Swift.Duration; \(C.self) does not.")
    }
    return duration
}
