import Synchronization

/// Writes down what one loop does, for a ``Trace``: the observer that the loop tells, and the handle by which
/// the trace reads and stops it.
final class TraceRecorder: LoopObserver, @unchecked Sendable {
    let name: String
    let log: TraceLog
    /// Until the recording ends, or the loop.
    private let engine: Mutex<Engine?>
    // Behind a pointer, for the loop's thread: see the engine's own tables.
    private let follower: UnsafeMutablePointer<TraceFollower>

    init(engine: Engine, name: String, capacity: Int) {
        self.engine = Mutex(engine)
        self.name = name
        log = TraceLog(capacity: capacity)
        follower = .allocate(capacity: 1)
        follower.initialize(to: TraceFollower(engine: engine, writer: TraceWriter(log: log)))
    }

    deinit { follower.deinitialize(count: 1).deallocate() }

    // MARK: - Its life

    /// Begins to record. While no other thread runs the loop.
    func start(on engine: Engine) {
        engine.originsWanted.wrappingAdd(1, ordering: .relaxed)
        follower.pointee.addKnownTasks()
        engine.add(self)
    }

    func records(_ other: Engine) -> Bool { engine.withLock { $0 === other } }

    /// Ends the recording. From any thread.
    func stop() {
        guard let engine = leaveEngine() else { return }
        // A loop that does not run may begin to at this moment, so only its own thread takes this out. Not
        // retained: it lies in the engine's own inbox.
        engine.perform { [unowned(unsafe) engine] in engine.remove(self) }
    }

    func loopIsClosing() {
        leaveEngine()?.remove(self)
    }

    /// Nothing is recorded from here on. The loop lets go of this later, on its thread.
    private func leaveEngine() -> Engine? {
        let engine = engine.withLock { engine in
            let former = engine
            engine = nil
            return former
        }
        guard let engine else { return nil }
        engine.originsWanted.wrappingSubtract(1, ordering: .relaxed)
        log.stop(at: engine.reactorNow().nanoseconds)
        return engine
    }

    /// How far the trace goes: up to now, or to where the recording ended. In the moment of its end nobody
    /// says, but for the last event.
    var end: UInt64 { engine.withLock { $0?.reactorNow().nanoseconds } ?? log.end ?? 0 }

    // MARK: - What the loop tells

    func idleBegan() { follower.pointee.idleBegan() }

    func idleEnded() { follower.pointee.idleEnded() }

    func turnBegan(events: Int, ready: Int) { follower.pointee.turnBegan(events: events, ready: ready) }

    func turnEnded() { follower.pointee.turnEnded() }

    func stepBegan(_ step: LoopStep) { follower.pointee.stepBegan(step) }

    func stepEnded(_ step: LoopStep, node: TaskNode?) { follower.pointee.stepEnded(step) }

    func waitBegan(_ token: WaiterToken) { follower.pointee.waitBegan(token) }

    func becameReady(_ step: LoopStep) { follower.pointee.becameReady(step) }

    func descriptorReady(_ descriptor: CInt, _ readiness: Reactor.Readiness) {
        follower.pointee.descriptorReady(descriptor, readiness)
    }

    func messageTaken(from origin: Inbox.Origin) { follower.pointee.messageTaken(from: origin) }

    func timerFired(_ token: WaiterToken, lateness: Duration) { follower.pointee.timerFired(lateness) }

    func taskBegan(_ node: TaskNode) { follower.pointee.taskBegan(node) }

    func taskEnded(_ node: TaskNode) { follower.pointee.taskEnded() }
}
