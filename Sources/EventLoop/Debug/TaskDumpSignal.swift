/// Asks for a dump of the tasks whenever a signal comes.
private final class TaskDumpSignal: SignalObserver {
    let number: CInt
    var token: UInt64 = 0
    private let mode: DebugMode
    // Not retained: the engine retains its observers.
    private unowned(unsafe) let engine: Engine

    init(number: CInt, mode: DebugMode, engine: Engine) {
        self.number = number
        self.mode = mode
        self.engine = engine
    }

    func signalArrived() {
        mode.report(.tasks(TaskDump(engine: engine).text))
    }

    func loopIsClosing() { stop() }

    func stop() {
        engine.reactor.removeSignal(number)
        engine.signalObservers.remove(token)
    }
}

extension EventLoop {
    /// Prints ``dumpTasks()-method`` whenever the signal comes, to standard error, or to the handler of
    /// ``setDebugHandler(_:)``; Python's `faulthandler.register`.
    ///
    ///     try loop.dumpTasksOnSignal(SIGUSR1)    // kill -USR1 <pid>
    ///
    /// The loop reads the signal between its turns. While a step holds it up, it can only be said in debug
    /// mode what that step is. As with ``Signals``, the signal is blocked on this thread from now on, and
    /// other threads must block it, too: call this on the thread that runs the loop, before starting threads.
    ///
    /// Traps while another thread runs the loop.
    ///
    /// - Throws: ``SystemError``: EEXIST for a signal that this loop listens for already, EINVAL for one that
    ///   cannot be listened for.
    public func dumpTasksOnSignal(_ number: CInt) throws {
        engine.assertMayBeUsedHere("dumpTasksOnSignal")
        let observer = TaskDumpSignal(number: number, mode: debugMode, engine: engine)
        observer.token = engine.signalObservers.insert(observer)
        do {
            try engine.reactor.addSignal(number, token: observer.token)
        } catch {
            engine.signalObservers.remove(observer.token)
            throw error
        }
    }

    /// Takes ``dumpTasksOnSignal(_:)`` back: the signal acts as before. The loop's end does the same.
    ///
    /// Traps while another thread runs the loop.
    public func stopDumpingTasks(onSignal number: CInt) {
        engine.assertMayBeUsedHere("stopDumpingTasks")
        for case let observer as TaskDumpSignal in engine.signalObservers.elements
        where observer.number == number {
            observer.stop()
        }
    }
}
