import Glibc
import Synchronization

/// Is told when a watched descriptor is ready, on the loop's thread.
protocol DescriptorObserver: AnyObject {
    func descriptorIsReady(_ readiness: Reactor.Readiness)
    /// The number, for who observes the loop.
    var fileDescriptor: CInt { get }
    /// The loop is closing: who waits for the descriptor must not wait on.
    func loopIsClosing()
}

/// Is told when a signal has arrived, on the loop's thread.
protocol SignalObserver: AnyObject {
    func signalArrived()
    /// The loop is closing: the signal is to act as before.
    func loopIsClosing()
}

/// Is told that the loop is closing, and nothing else.
protocol ClosingObserver: AnyObject {
    /// What the loop has not ended by now, it never will.
    func loopIsClosing()
}

/// A loop's state and its parts. What is public about a loop stands in ``EventLoop``.
///
/// Everything here belongs to the thread that runs the loop, except for the inbox, the doorbell and
/// the few atomics. While no thread runs it, the inbox takes what executors and schedulers bring.
final class Engine: @unchecked Sendable {
    let reactor: Reactor
    // Behind pointers, because the runtime checks each access to a class's stored structure for exclusivity,
    // which on these paths would cost more than the work.
    private let waitersStorage: UnsafeMutablePointer<WaiterTable>
    private let readyStorage: UnsafeMutablePointer<ReadyQueue>
    private let taskIndexStorage: UnsafeMutablePointer<TaskIndex>
    private let observersStorage: UnsafeMutablePointer<SlotTable<any DescriptorObserver>>
    private let stateStorage: UnsafeMutablePointer<TurnState>
    var observer: (any LoopObserver)? {
        didSet { state.isObserved = observer != nil }
    }
    let inbox = Inbox()
    /// How many observers want to know where messages come from. For every thread that leaves one.
    let originsWanted = Atomic<Int>(0)
    var clock: LoopClock
    /// Whether the clock is, for every thread.
    let isReal: Bool
    /// A clock that is not real, for other threads to read.
    let virtualNow = Atomic<UInt64>(0)
    /// Draws the order of ready tasks, if they are not to run in the order in which they became ready.
    var seededOrder: SeededOrder?
    /// Who waits for everything else to be blocked, and who is told when nobody waits for that any more.
    let quietWaiters = WaitQueue(for: .quiet)
    var whenQuiet: (() -> Void)? {
        didSet { state.waitsWithCare = needsCareWhenIdle }
    }
    /// Who is told that nothing has happened for so long in real time, and that no deadline will come.
    var whenStuck: (patience: Duration, report: () -> Void)? {
        didSet { state.waitsWithCare = needsCareWhenIdle }
    }
    var needsCareWhenIdle: Bool {
        !clock.isReal || whenQuiet != nil || whenStuck != nil || !quietWaiters.isEmpty
    }
    /// Called whenever the doorbell has rung.
    var onWake: (() -> Void)?
    var signalObservers = SlotTable<any SignalObserver>()
    var closingObservers = SlotTable<any ClosingObserver>()
    /// The loop's own tasks: it keeps them alive until they end.
    var tasks = SlotTable<TaskRecord>()

    /// The thread that runs the loop, or 0.
    let runner = Atomic<UInt>(0)
    let stopRequested = Atomic<Bool>(false)
    private(set) var isClosed = false
    /// The run is over but for what still has to end: a task that is spawned now starts cancelled.
    var isWindingUp = false
    static let budgetPerStep = 128
    /// How many tasks wait for a thread that works for them: time that is virtual must not pass them by.
    var offloadsUnderWay = 0
    let errorHandler = ErrorHandler()

    init(clock: EventLoop.ClockKind = .monotonic, seed: UInt64? = nil) throws(SystemError) {
        self.clock = LoopClock(clock)
        isReal = self.clock.isReal
        seededOrder = seed.map(SeededOrder.init(seed:))
        reactor = try Reactor(isManual: clock != .monotonic)
        waitersStorage = .allocate(capacity: 1)
        readyStorage = .allocate(capacity: 1)
        taskIndexStorage = .allocate(capacity: 1)
        observersStorage = .allocate(capacity: 1)
        stateStorage = .allocate(capacity: 1)
        stateStorage.initialize(to: TurnState(waitsWithCare: clock != .monotonic, isSeeded: seed != nil))
        waitersStorage.initialize(to: WaiterTable())
        readyStorage.initialize(to: ReadyQueue())
        observersStorage.initialize(to: SlotTable())
        taskIndexStorage.initialize(to: TaskIndex())
    }

    deinit {
        ready.deallocate()
        waiters.deallocate()
        observersStorage.deinitialize(count: 1).deallocate()
        taskIndex.deallocate()
        taskIndexStorage.deallocate()
        readyStorage.deallocate()
        waitersStorage.deallocate()
        stateStorage.deallocate()
    }

    @inline(__always)
    var state: TurnState {
        _read { yield stateStorage.pointee }
        _modify { yield &stateStorage.pointee }
    }

    @inline(__always)
    var waiters: WaiterTable {
        _read { yield waitersStorage.pointee }
        _modify { yield &waitersStorage.pointee }
    }

    @inline(__always)
    var observers: SlotTable<any DescriptorObserver> {
        _read { yield observersStorage.pointee }
        _modify { yield &observersStorage.pointee }
    }

    @inline(__always)
    var taskIndex: TaskIndex {
        _read { yield taskIndexStorage.pointee }
        _modify { yield &taskIndexStorage.pointee }
    }

    @inline(__always)
    var ready: ReadyQueue {
        _read { yield readyStorage.pointee }
        _modify { yield &readyStorage.pointee }
    }

    // MARK: - Threads

    var isOnLoopThread: Bool {
        runner.load(ordering: .relaxed) == UInt(pthread_self())
    }

    var isRunning: Bool { runner.load(ordering: .acquiring) != 0 }

    /// Traps when another thread than the loop's uses what belongs to the loop.
    @inline(__always)
    func assertOnLoop(_ what: @autoclosure () -> String) {
        precondition(
            isOnLoopThread,
            "\(what()) was called outside its event loop's thread: call it there, or hand it over with callSoonThreadSafe."
        )
    }

    /// Traps when the loop runs on another thread.
    func assertMayBeUsedHere(_ what: @autoclosure () -> String) {
        precondition(
            isOnLoopThread || !isRunning,
            "\(what()) was called while another thread runs the event loop: use callSoonThreadSafe.")
    }

    /// Leaves a message for the loop. From any thread.
    func post(_ message: Inbox.Message) {
        let origin =
            originsWanted.load(ordering: .relaxed) > 0
            ? Inbox.Origin(thread: ThreadNumber.current, time: reactorNow()) : nil
        if inbox.post(message, from: origin) { reactor.wake() }
    }

    /// Does it now on the loop's thread, or leaves it for the loop.
    func perform(_ action: @escaping @Sendable () -> Void) {
        if isOnLoopThread { action() } else { post(.perform(action)) }
    }

    // MARK: - Scheduling

    /// Puts a job of the Swift runtime into the queue. From any thread.
    ///
    /// A task that changes between isolated and nonisolated code enqueues itself while it runs. That is no
    /// new step: it goes on at once, or each resumption of an actor's code would cost a turn more.
    /// (`Task.yield()` does the same, but on the executor that the task runs on.)
    @inline(__always)
    func enqueue(_ job: UnownedJob, isIsolated: Bool) {
        guard isOnLoopThread else {
            post(isIsolated ? .isolatedJob(job) : .job(job))
            return
        }
        if state.isRunningIsolated != isIsolated, state.runningJob == unsafeBitCast(job, to: UInt.self) {
            state.hasHopped = true
        } else {
            append(job, isIsolated: isIsolated)
        }
    }

    /// Puts a job into the queue once `delay` has passed: the runtime's Task.sleep. From any thread.
    ///
    /// It is not the sleeping task's own job, but that of a task which wakes it, and which is isolated to
    /// nothing, whoever sleeps.
    func enqueue(_ job: UnownedJob, after delay: Duration) {
        let deadline = reactorNow().advanced(by: isReal ? delay : LoopClock.withoutRealTime(delay))
        if isOnLoopThread {
            delayJob(job, until: deadline)
        } else {
            post(.delayed(job, deadline: deadline))
        }
    }

    func delayJob(_ job: UnownedJob, until deadline: EventLoop.Instant) {
        let token = waiters.insert(.job(job), for: .timer)
        if state.isObserved { tellOfWait(token) }
        _ = reactor.startTimer(at: deadline, token: token.rawValue)
    }

    func schedule(_ call: ScheduledCall) {
        guard !isClosed else { return call.forget() }
        guard isOnLoopThread else {
            post(.call(call))
            return
        }
        guard !call.isCancelled else { return }
        guard let deadline = call.deadline else {
            append(call)
            return
        }
        let token = waiters.insert(.call(call), for: .timer)
        call.token = token
        call.timer = reactor.startTimer(at: deadline, token: token.rawValue)
    }

    /// The clock, for callers on any thread.
    func reactorNow() -> EventLoop.Instant {
        if isOnLoopThread { return reactor.now }
        guard isReal else {
            return EventLoop.Instant(nanoseconds: virtualNow.load(ordering: .relaxed))
        }
        return .realNow
    }

    // MARK: - Waking

    /// Lets the waiter go on, if that wait is not over. Returns whether there was one.
    @discardableResult
    func wake(_ token: WaiterToken) -> Bool {
        switch waiters.end(token, with: .woken) {
        case .task(let continuation), .uncancellable(let continuation): continuation.resume(returning: .woken)
        case .reserved: break
        case .job(let job): append(wakingJob: job)
        case .call(let call): append(call)
        case .free, .over, nil: return false
        }
        return true
    }

    /// Ends a wait because its task was cancelled. From any thread, which is where cancellation comes from.
    func cancelWait(_ token: WaiterToken) {
        guard isOnLoopThread else {
            post(.cancelWait(token))
            return
        }
        if case .task(let continuation) = waiters.end(token, with: .cancelled) {
            continuation.resume(returning: .cancelled)
        }
    }

    // MARK: - The end

    /// Ends every wait of a task with a cancellation: plain tasks, too, get the chance to clean up. Returns
    /// whether there was one.
    @discardableResult
    func cancelAllWaits() -> Bool {
        let waits = waiters.parkedTasks
        for token in waits { cancelWait(token) }
        return !waits.isEmpty
    }

    /// Whether nothing is ready, here or in the inbox.
    var isIdle: Bool { ready.isEmpty && !inbox.hasMessages }

    /// Neither descriptors nor signals are watched from here on, and what was left for the loop is dropped.
    func close() {
        isClosed = true
        for observer in observers.elements { observer.loopIsClosing() }
        for observer in signalObservers.elements { observer.loopIsClosing() }
        for case .call(let call) in inbox.close() { call.forget() }
        // Calls that will not come give back what they hold, which may hold the loop.
        for call in waiters.endCalls() + ready.calls { call.forget() }
        // What waits will not go on: nobody can end a task of Swift's from outside.
        for task in tasks.elements { task.loopIsClosing() }
        tasks = SlotTable()
        for observer in closingObservers.elements { observer.loopIsClosing() }
        observer?.loopIsClosing()
    }

    func report(_ unhandled: UnhandledError) {
        errorHandler.report(unhandled)
    }
}
