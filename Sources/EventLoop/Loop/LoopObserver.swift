/// Is told what a loop does while it does it, on the loop's thread: what debug mode, histograms and traces
/// are made from. A loop without one pays a load and a branch for each step.
///
/// Observers must not schedule anything. What one does not care for it need not have.
protocol LoopObserver: AnyObject {
    /// A thread runs the loop from here on, until it does not. One that is added meanwhile is not told.
    func runBegan()
    func runEnded()
    /// The loop has looked for what has happened, and begins with what is ready.
    func turnBegan(events: Int, ready: Int)
    func turnEnded()
    func stepBegan(_ step: LoopStep)
    /// - Parameter node: The task, if the loop knows it: it may have made itself known within the step.
    func stepEnded(_ step: LoopStep, node: TaskNode?)
    /// The running task will park, unless it is cancelled already: what for stands in the table of waiters.
    func waitBegan(_ token: WaiterToken)
    /// A timer was due `lateness` ago, at most 4.3 seconds.
    func timerFired(_ token: WaiterToken, lateness: Duration)
    /// A task that the loop knows is in its first step, or in its last.
    func taskBegan(_ node: TaskNode)
    func taskEnded(_ node: TaskNode)
}

extension LoopObserver {
    func runBegan() {}
    func runEnded() {}
    func turnBegan(events: Int, ready: Int) {}
    func turnEnded() {}
    func stepBegan(_ step: LoopStep) {}
    func stepEnded(_ step: LoopStep, node: TaskNode?) {}
    func waitBegan(_ token: WaiterToken) {}
    func timerFired(_ token: WaiterToken, lateness: Duration) {}
    func taskBegan(_ node: TaskNode) {}
    func taskEnded(_ node: TaskNode) {}
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

    func timerFired(_ token: WaiterToken, lateness: Duration) {
        for observer in observers { observer.timerFired(token, lateness: lateness) }
    }

    func taskBegan(_ node: TaskNode) {
        for observer in observers { observer.taskBegan(node) }
    }

    func taskEnded(_ node: TaskNode) {
        for observer in observers { observer.taskEnded(node) }
    }
}

extension Engine {
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
