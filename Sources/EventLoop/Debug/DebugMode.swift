import Glibc
import Synchronization

/// Whether a loop is in debug mode, from when on it reports, and who is told.
///
/// Each loop has one, so that a program may set all this whether the environment turns the mode on or not.
final class DebugMode: Sendable {
    let isOn: Bool
    private let slowStepNanoseconds = Atomic<Int64>(100_000_000)
    private let stallNanoseconds = Atomic<Int64>(1_000_000_000)
    private let handler = Mutex<@Sendable (DebugReport) -> Void>({ report in
        let text = Array("EventLoop: \(report)\n".utf8)
        _ = write(STDERR_FILENO, text, text.count)
    })

    init(engine: Engine, isOn: Bool?) {
        self.isOn = isOn ?? Self.isAskedForByEnvironment
        if self.isOn { engine.add(DebugObserver(engine: engine, mode: self)) }
    }

    private static var isAskedForByEnvironment: Bool {
        guard let value = getenv("EVENTLOOP_DEBUG") else { return false }
        return !["", "0"].contains(String(cString: value))
    }

    var slowStepThreshold: Duration {
        get { .nanoseconds(slowStepNanoseconds.load(ordering: .relaxed)) }
        set { slowStepNanoseconds.store(newValue.nanosecondsRoundedUp, ordering: .relaxed) }
    }

    /// At least a millisecond, or the thread that looks would do nothing else.
    var stallThreshold: Duration {
        get { .nanoseconds(stallNanoseconds.load(ordering: .relaxed)) }
        set { stallNanoseconds.store(max(newValue.nanosecondsRoundedUp, 1_000_000), ordering: .relaxed) }
    }

    func setHandler(_ handler: @escaping @Sendable (DebugReport) -> Void) {
        self.handler.withLock { $0 = handler }
    }

    func report(_ report: DebugReport) {
        handler.withLock { $0 }(report)
    }
}

extension EventLoop {
    /// Whether the loop is in debug mode; asyncio's `get_debug`.
    ///
    /// It was made so, or by the environment variable EVENTLOOP_DEBUG. In debug mode each step that takes
    /// ``slowStepThreshold`` or longer is reported when it is over, with the task and the place where it was
    /// spawned, or the place where the call was scheduled. A step that takes ``stallThreshold`` is reported
    /// while it lasts, with the thread's backtrace. And ``dumpTasks()-method`` says how long each wait has
    /// lasted.
    ///
    /// It costs 200 to 300 ns for each step, and a second thread while the loop runs. To take a backtrace,
    /// that thread sends SIGURG to the loop's, for which the process has a handler meanwhile: a system call
    /// of yours that blocks the loop then goes on by itself, but for poll, nanosleep and the others that
    /// fail with EINTR whatever the handler (signal(7)).
    public var isDebugging: Bool { debugMode.isOn }

    /// How long a step takes that is reported in debug mode: 100 ms, unless set; asyncio's
    /// `slow_callback_duration`. From any thread.
    public var slowStepThreshold: Duration {
        get { debugMode.slowStepThreshold }
        set { debugMode.slowStepThreshold = newValue }
    }

    /// How long a step takes that is reported in debug mode while it lasts, and again whenever it has lasted
    /// twice as long: 1 s, unless set; at least 1 ms. From any thread.
    ///
    /// In real time, whatever the loop's clock is.
    public var stallThreshold: Duration {
        get { debugMode.stallThreshold }
        set { debugMode.stallThreshold = newValue }
    }

    /// Replaces what is done with the reports of debug mode and of ``dumpTasksOnSignal(_:)``. By default they
    /// go to standard error.
    ///
    /// Slow steps and tasks are reported on the loop's thread, stalls on another. The handler must not wait
    /// for the loop. The loop keeps it: what it captures of the loop it should not own.
    public func setDebugHandler(_ handler: @escaping @Sendable (DebugReport) -> Void) {
        debugMode.setHandler(handler)
    }
}
