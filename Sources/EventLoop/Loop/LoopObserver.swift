/// Is told what a loop does while it does it, on the loop's thread: what debug mode, histograms and traces
/// are made from. A loop without one pays a load and a branch for each step.
///
/// Observers must not schedule anything. What one does not care for it need not have.
protocol LoopObserver: AnyObject {
    /// A thread runs the loop from here on, until it does not. One that is added meanwhile is not told.
    func runBegan()
    func runEnded()
    /// Nothing is ready: the loop blocks until something happens, or lets a clock that may leap do so.
    func idleBegan()
    func idleEnded()
    /// The loop has looked for what has happened, and begins with what is ready.
    func turnBegan(events: Int, ready: Int)
    func turnEnded()
    func stepBegan(_ step: LoopStep)
    /// - Parameter node: The task, if the loop knows it: it may have made itself known within the step.
    func stepEnded(_ step: LoopStep, node: TaskNode?)
    /// The running task will park, unless it is cancelled already: what for stands in the table of waiters.
    func waitBegan(_ token: WaiterToken)
    /// A task or a call has come to the end of the queue; or it will, when its step is over.
    func becameReady(_ step: LoopStep)
    /// A watched descriptor is ready: who waits for it is told next.
    func descriptorReady(_ descriptor: CInt, _ readiness: Reactor.Readiness)
    /// What another thread has left is done next.
    func messageTaken(from origin: Inbox.Origin)
    /// A timer was due `lateness` ago, at most 4.3 seconds.
    func timerFired(_ token: WaiterToken, lateness: Duration)
    /// A task that the loop knows is in its first step, or in its last.
    func taskBegan(_ node: TaskNode)
    func taskEnded(_ node: TaskNode)
    /// The loop will not run any more.
    func loopIsClosing()
}

extension LoopObserver {
    func runBegan() {}
    func runEnded() {}
    func idleBegan() {}
    func idleEnded() {}
    func turnBegan(events: Int, ready: Int) {}
    func turnEnded() {}
    func stepBegan(_ step: LoopStep) {}
    func stepEnded(_ step: LoopStep, node: TaskNode?) {}
    func waitBegan(_ token: WaiterToken) {}
    func becameReady(_ step: LoopStep) {}
    func descriptorReady(_ descriptor: CInt, _ readiness: Reactor.Readiness) {}
    func messageTaken(from origin: Inbox.Origin) {}
    func timerFired(_ token: WaiterToken, lateness: Duration) {}
    func taskBegan(_ node: TaskNode) {}
    func taskEnded(_ node: TaskNode) {}
    func loopIsClosing() {}
}

/// One step: a task's run from one suspension to the next, or a call.
enum LoopStep {
    /// By the address of the runtime's task.
    case task(UInt)
    case call(ScheduledCall)
}

/// Tells several observers.
final class ObserverList: LoopObserver {
    private(set) var observers: [any LoopObserver]

    init(_ observers: [any LoopObserver]) {
        self.observers = observers
    }

    func runBegan() {
        for observer in observers { observer.runBegan() }
    }

    func runEnded() {
        for observer in observers { observer.runEnded() }
    }

    func idleBegan() {
        for observer in observers { observer.idleBegan() }
    }

    func idleEnded() {
        for observer in observers { observer.idleEnded() }
    }

    func turnBegan(events: Int, ready: Int) {
        for observer in observers { observer.turnBegan(events: events, ready: ready) }
    }

    func turnEnded() {
        for observer in observers { observer.turnEnded() }
    }

    func stepBegan(_ step: LoopStep) {
        for observer in observers { observer.stepBegan(step) }
    }

    func stepEnded(_ step: LoopStep, node: TaskNode?) {
        for observer in observers { observer.stepEnded(step, node: node) }
    }

    func waitBegan(_ token: WaiterToken) {
        for observer in observers { observer.waitBegan(token) }
    }

    func becameReady(_ step: LoopStep) {
        for observer in observers { observer.becameReady(step) }
    }

    func descriptorReady(_ descriptor: CInt, _ readiness: Reactor.Readiness) {
        for observer in observers { observer.descriptorReady(descriptor, readiness) }
    }

    func messageTaken(from origin: Inbox.Origin) {
        for observer in observers { observer.messageTaken(from: origin) }
    }

    func timerFired(_ token: WaiterToken, lateness: Duration) {
        for observer in observers { observer.timerFired(token, lateness: lateness) }
    }

    func taskBegan(_ node: TaskNode) {
        for observer in observers { observer.taskBegan(node) }
    }

    func taskEnded(_ node: TaskNode) {
        for observer in observers { observer.taskEnded(node) }
    }

    func loopIsClosing() {
        for observer in observers { observer.loopIsClosing() }
    }
}

extension Engine {
    /// Tells of what has become ready. Apart, so that who is not observed carries a branch and no more.
    @inline(never)
    func tellReady(_ step: LoopStep) {
        observer?.becameReady(step)
    }

    @inline(never)
    func tellOfWait(_ token: WaiterToken) {
        observer?.waitBegan(token)
    }

    /// Adds an observer. Call it before the loop runs, or on its thread.
    func add(_ observer: any LoopObserver) {
        self.observer = self.observer.map { ObserverList([$0, observer]) } ?? observer
    }

    /// Takes an observer out again.
    func remove(_ observer: any LoopObserver) {
        func without(_ candidate: (any LoopObserver)?) -> (any LoopObserver)? {
            guard let list = candidate as? ObserverList else {
                return candidate === observer ? nil : candidate
            }
            let left = list.observers.compactMap(without)
            return left.count > 1 ? ObserverList(left) : left.first
        }
        self.observer = without(self.observer)
    }

    /// The observer of a type, if there is one.
    func observer<Observer>(_ type: Observer.Type) -> Observer? {
        func found(in candidate: (any LoopObserver)?) -> Observer? {
            guard let list = candidate as? ObserverList else { return candidate as? Observer }
            return list.observers.lazy.compactMap(found).first
        }
        return found(in: observer)
    }
}
