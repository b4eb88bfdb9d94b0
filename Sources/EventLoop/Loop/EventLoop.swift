import Glibc

/// A single-threaded event loop: it runs tasks and calls one at a time, and waits in between for
/// descriptors, timers, signals and other threads, all with one system call.
///
/// There are two ways to run one:
///
/// - ``run(clock:seed:debug:trace:fileID:line:_:)`` takes over the process's main and default executors for
///   the time of its body: `Task {}`, `async let`, task groups, `Task.sleep` and `@MainActor` code all run
///   on the calling thread. This is asyncio's model.
/// - `EventLoop()` makes a loop for any thread. Its tasks are those that it spawned, that prefer
///   ``executor``, and those of actors that live on ``serialExecutor``. Several loops on several threads
///   use several cores.
///
/// Thread rule: a loop belongs to the thread that runs it, and what is made on it (streams, futures,
/// handles) with it. Use from another thread traps with a sentence, in release builds too. The exceptions
/// say so: ``stop()``, ``callSoonThreadSafe(fileID:line:_:)``, the executors.
public final class EventLoop: Sendable {
    let engine: Engine
    let taskExecutor: LoopTaskExecutor
    let loopSerialExecutor: LoopSerialExecutor
    /// Process mode: tasks run on the loop without a preference, which the runtime finds faster.
    let isProcessWide: Bool
    let debugMode: DebugMode

    /// Makes a loop that no thread runs yet.
    ///
    /// - Parameters:
    ///   - clock: What time is to it: see ``ClockKind``.
    ///   - seed: Draws the order in which ready tasks run, which is otherwise the order in which they became
    ///     ready. The same seed gives the same order, as far as only the loop and its clock are involved.
    ///   - debug: Whether it runs in debug mode: see ``isDebugging``. Nil: the environment variable
    ///     EVENTLOOP_DEBUG says so, if it is neither empty nor 0.
    /// - Throws: ``SystemError`` when the process has no descriptors left (a loop has three), or no memory.
    public convenience init(
        clock: ClockKind = .monotonic, seed: UInt64? = nil, debug: Bool? = nil
    ) throws(SystemError) {
        try self.init(isProcessWide: false, clock: clock, seed: seed, debug: debug)
    }

    init(isProcessWide: Bool, clock: ClockKind, seed: UInt64?, debug: Bool?) throws(SystemError) {
        engine = try Engine(clock: clock, seed: seed)
        debugMode = DebugMode(engine: engine, isOn: debug)
        taskExecutor = LoopTaskExecutor(engine: engine)
        loopSerialExecutor = LoopSerialExecutor(engine: engine)
        self.isProcessWide = isProcessWide
    }

    deinit {
        // What is watched is held by the engine, and holds it: nobody but the loop can end that.
        engine.close()
    }

    /// Runs nonisolated tasks on this loop: `Task(executorPreference: loop.executor) { … }`.
    public var executor: any TaskExecutor { taskExecutor }

    /// Lets an actor live on this loop: return `serialExecutor.asUnownedSerialExecutor()` as its
    /// `unownedExecutor`, and keep the loop alive as long as the actor.
    ///
    /// An actor whose callbacks a loop calls (``callSoon(fileID:line:_:)`` and the like) must live there:
    /// they are called on the loop's thread, whatever actor they come from.
    public var serialExecutor: any SerialExecutor { loopSerialExecutor }

    // MARK: - The current loop

    /// The loop that runs on this thread, if any.
    public static var currentIfAny: EventLoop? { CurrentLoop.value }

    /// The loop that runs on this thread. Traps when there is none.
    public static var current: EventLoop { current(for: "EventLoop.current") }

    static func current(for caller: @autoclosure () -> String) -> EventLoop {
        guard let loop = CurrentLoop.value else {
            preconditionFailure(
                "\(caller()) was called outside a running event loop: call it inside EventLoop.run { … }, or on a loop's own thread.\(hintWithoutLoop)"
            )
        }
        return loop
    }

    /// What else to tell a task that looks for a loop where none runs.
    @TaskLocal package static var hintWithoutLoop = ""

    /// Whether the calling thread is the one that runs this loop.
    public var isOnLoopThread: Bool { engine.isOnLoopThread }

    // MARK: - Running

    /// Runs the loop on this thread until ``stop()``.
    ///
    /// What was scheduled before, from here or from another thread, runs first.
    ///
    /// - Throws: ``EventLoopError/alreadyRunning`` when this thread runs a loop.
    public func run() throws(EventLoopError) {
        try run(until: { false })
    }

    /// Runs `body` as a task on this loop and on this thread, until it ends; asyncio's run_until_complete.
    ///
    /// The body is nonisolated unless it says otherwise; main-actor code belongs into process mode, for the
    /// main actor waits elsewhere. Other tasks of the loop stay, and go on with the next run. When ``stop()``
    /// ends the run first, the body is cancelled, and the loop goes on until it has ended.
    ///
    /// - Returns: What the body returned.
    /// - Throws: What the body threw, or ``EventLoopError/alreadyRunning``.
    @discardableResult
    public func run<Success: Sendable>(
        fileID: String = #fileID, line: UInt = #line,
        _ body: sending @escaping @isolated(any) () async throws -> Success
    ) throws -> Success {
        // Before the task exists, which would run later otherwise.
        try checkMayRun()
        let main = TaskOutcome<Success>(on: self, name: "main", fileID: fileID, line: line)
        main.start(on: self, body)
        try run(toTheEndOf: main)
        return try main.result!.get()
    }

    /// Ends the loop: cancels every task that is left, runs until all have ended, and gives back what the
    /// loop holds. Like the end of a process-mode run; asyncio's Runner.close.
    ///
    /// Waits of plain `Task`s in this library end by cancellation, too, those that begin meanwhile included.
    /// Plain tasks that wait elsewhere cannot be found, and those that never wait cannot be ended; they are
    /// left behind, and so is a call that schedules itself again and again. A loop that was closed can
    /// neither be run nor used; closing it again does nothing. A loop that goes without having been closed
    /// reports each task that it leaves behind.
    ///
    /// Traps while another thread runs the loop.
    ///
    /// - Throws: ``EventLoopError/alreadyRunning`` when this thread runs a loop.
    public func close() throws(EventLoopError) {
        guard !engine.isClosed else { return }
        try close(orOnceHopeless: { false })
    }

    /// Closes the loop, and does not wait for tasks any more once there is no hope that they will end.
    func close(orOnceHopeless isHopeless: () -> Bool) throws(EventLoopError) {
        try checkMayRun()
        engine.isWindingUp = true
        for task in engine.tasks.elements { task.cancel() }
        engine.perform { [engine] in engine.cancelAllWaits() }
        var isOver = false
        var turnsLeft = Self.turnsForPlainTasks
        while !isOver {
            try run(until: {
                isOver = isWoundUp(turnsLeft: &turnsLeft) || isHopeless()
                return isOver
            })
        }
        engine.close()
    }

    /// How many turns are left for plain tasks once the last task of the loop's own has ended: what is ready
    /// again and again must not keep the loop.
    private static let turnsForPlainTasks = 1000

    /// Whether no task of the loop's own is left, and no plain one that can still be ended. On the loop.
    private func isWoundUp(turnsLeft: inout Int) -> Bool {
        guard engine.tasks.count == 0 else { return false }
        guard turnsLeft > 0 else { return true }
        turnsLeft -= 1
        // Plain tasks that were ready when all waits were cancelled have come to their next wait since.
        return engine.isIdle && !engine.cancelAllWaits()
    }

    /// Runs until the task has ended. A stop that comes first asks it to end: it hears of that as a
    /// cancellation, and cleans up.
    func run(toTheEndOf main: TaskRecord) throws(EventLoopError) {
        main.markRetrieved()
        try run(until: { main.isDone })
        while !main.isDone {
            main.cancel()
            try run(until: { main.isDone })
        }
    }

    func checkMayRun() throws(EventLoopError) {
        guard CurrentLoop.value == nil else { throw .alreadyRunning }
        // Before anything of the loop's is touched.
        precondition(!engine.isRunning, "Another thread runs this event loop already.")
        guard !engine.isClosed else { throw .closed }
    }

    func run(until isDone: () -> Bool) throws(EventLoopError) {
        try checkMayRun()
        CurrentLoop.value = self
        defer { CurrentLoop.value = nil }
        engine.run(
            until: isDone, taskExecutor: taskExecutor.asUnownedTaskExecutor(),
            serialExecutor: loopSerialExecutor.asUnownedSerialExecutor())
    }

    /// Makes ``run()`` return once the turn under way is over. What is ready then stays for the next run.
    ///
    /// From any thread. A loop that does not run will return from its next run at once.
    public func stop() {
        engine.stop()
    }

    // MARK: - Calls

    /// The loop's clock.
    public var now: Instant { engine.reactorNow() }

    /// Calls `function` in the loop's next turn, after what is ready already; asyncio's call_soon.
    ///
    /// Traps while another thread runs the loop.
    @discardableResult
    public func callSoon(
        fileID: String = #fileID, line: UInt = #line, _ function: @escaping () -> Void
    ) -> ScheduledCall {
        engine.assertMayBeUsedHere("callSoon")
        let call = ScheduledCall(engine: engine, fileID: fileID, line: line, function)
        engine.schedule(call)
        return call
    }

    /// Calls `function` once `delay` has passed, never earlier; a delay of zero or less means soon.
    ///
    /// Traps while another thread runs the loop.
    @discardableResult
    public func callLater(
        _ delay: Duration, fileID: String = #fileID, line: UInt = #line, _ function: @escaping () -> Void
    ) -> ScheduledCall {
        callAt(now.advanced(by: max(delay, .zero)), fileID: fileID, line: line, function)
    }

    /// Calls `function` when `deadline` has come, never earlier. Calls with the same deadline keep the
    /// order in which they were scheduled.
    ///
    /// Traps while another thread runs the loop.
    @discardableResult
    public func callAt(
        _ deadline: Instant, fileID: String = #fileID, line: UInt = #line, _ function: @escaping () -> Void
    ) -> ScheduledCall {
        engine.assertMayBeUsedHere("callAt")
        let call = ScheduledCall(
            engine: engine, deadline: deadline, fileID: fileID, line: line, function)
        engine.schedule(call)
        return call
    }

    /// Calls `function` on the loop's thread, from any thread, and wakes the loop; asyncio's
    /// call_soon_threadsafe. Calls from one thread keep their order.
    public func callSoonThreadSafe(
        fileID: String = #fileID, line: UInt = #line, _ function: @escaping @Sendable () -> Void
    ) {
        engine.post(.call(ScheduledCall(engine: engine, fileID: fileID, line: line, function)))
    }

    /// Replaces what is done with an error that a spawned task ended with and nobody looked at.
    ///
    /// By default a line goes to standard error. The handler may be called on any thread. The loop keeps it:
    /// what it captures of the loop it should not own.
    public func setErrorHandler(_ handler: @escaping @Sendable (UnhandledError) -> Void) {
        engine.errorHandler.set(handler)
    }
}

/// ``EventLoop/current`` for code that is compiled into other modules.
@usableFromInline
func currentLoop(_ caller: String) -> EventLoop {
    EventLoop.current(for: caller)
}

/// The loop that runs on the calling thread.
enum CurrentLoop {
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let result = pthread_key_create(&key, nil)
        precondition(result == 0, "The process has no thread-specific keys left.")
        return key
    }()

    // Not retained: `run` sets it, keeps the loop alive meanwhile, and clears it.
    static var value: EventLoop? {
        get {
            pthread_getspecific(key).map { Unmanaged<EventLoop>.fromOpaque($0).takeUnretainedValue() }
        }
        set {
            pthread_setspecific(
                key, newValue.map { UnsafeRawPointer(Unmanaged.passUnretained($0).toOpaque()) })
        }
    }
}
