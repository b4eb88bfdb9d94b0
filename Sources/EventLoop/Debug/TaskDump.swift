/// The text that says what each task of a loop does, and what it waits for.
struct TaskDump {
    private let engine: Engine
    private let observer: DebugObserver?
    private let waits: [WaiterTable.Wait]
    private let waitOfTask: [UInt: WaiterTable.Wait]
    /// Of those in Task.sleep, whose job there is not their own: only debug mode has seen whose it is.
    private let sleepOfNode: [UInt64: WaiterTable.Wait]
    private let ready: Set<UInt>
    /// The tasks that have begun, by their addresses.
    private let begun: [UInt: TaskNode]
    private let addressOfNode: [UInt64: UInt]
    /// All of them, by what they were started by, in the order of their start.
    private let children: [UInt64: [TaskNode]]
    private let nodeIDs: Set<UInt64>
    /// Which task's end a queue waits for.
    private let endOfTask: [ObjectIdentifier: TaskRecord]

    /// On the loop's thread, or while it does not run.
    init(engine: Engine) {
        self.engine = engine
        observer = engine.observer(DebugObserver.self)
        waits = engine.waiters.waits
        waitOfTask = Dictionary(
            waits.compactMap { wait in wait.task.map { ($0, wait) } }, uniquingKeysWith: { first, _ in first }
        )
        sleepOfNode = Dictionary(
            waits.compactMap { [observer] wait in
                guard wait.task == nil else { return nil }
                return observer?.observedWait(wait.token)?.taskID.map { ($0, wait) }
            }, uniquingKeysWith: { first, _ in first })
        ready = Set(engine.ready.jobs)
        begun = engine.taskIndex.tasks
        addressOfNode = Dictionary(uniqueKeysWithValues: begun.map { ($1.id, $0) })
        let records = engine.tasks.elements
        let notBegun = records.filter { [addressOfNode] in addressOfNode[$0.id] == nil }
        let nodes = (begun.values + notBegun).sorted { $0.id < $1.id }
        nodeIDs = Set(nodes.map(\.id))
        children = Dictionary(grouping: nodes) { [nodeIDs] in nodeIDs.contains($0.parentID) ? $0.parentID : 0
        }
        endOfTask = Dictionary(
            records.compactMap { record in
                record.completion.map { (ObjectIdentifier($0), record) }
            }, uniquingKeysWith: { first, _ in first })
    }

    var text: String {
        var lines = ["Tasks of the event loop: \(nodeIDs.count)"]
        appendTree(to: &lines)
        let sleeps = Set(sleepOfNode.values.map(\.token))
        let others = waits.filter { wait in
            wait.task.map { begun[$0] == nil } ?? !sleeps.contains(wait.token)
        }
        if !others.isEmpty {
            lines.append("Waits of tasks that the loop did not start: \(others.count)")
            lines += others.map { "  \(description(of: $0))" }
        }
        return lines.joined(separator: "\n")
    }

    /// A chain of tasks can be longer than the stack is deep, and than a line is to be indented.
    private func appendTree(to lines: inout [String]) {
        var pending = (children[0] ?? []).reversed().map { ($0, depth: 1) }
        while let (node, depth) = pending.popLast() {
            let indentation = String(repeating: "  ", count: min(depth, 40))
            lines.append(indentation + "\(title(of: node)): \(state(of: node))")
            pending += (children[node.id] ?? []).reversed().map { ($0, depth: depth + 1) }
        }
    }

    private func title(of node: TaskNode) -> String {
        var title = node.label
        if let record = node as? TaskRecord {
            title = "\(DebugReport.Work(record, in: nil))"
            if record.cancellationCount > 0 { title += ", cancelled" }
        }
        if node.parentID != 0 && !nodeIDs.contains(node.parentID) {
            title += ", started by task #\(node.parentID), which has ended"
        }
        return title
    }

    // MARK: - What a task does

    private func state(of node: TaskNode) -> String {
        guard let address = addressOfNode[node.id] else { return "has not begun" }
        if let wait = waitOfTask[address] { return reason(of: wait) }
        if let sleep = sleepOfNode[node.id] { return reason(of: sleep) }
        if ready.contains(address) { return "ready" }
        if engine.currentNode === node { return "running" }
        let children = children[node.id] ?? []
        if let child = children.first(where: { $0 is ChildTask }) { return "waits in \(child.label)" }
        if let child = children.lazy.compactMap({ $0 as? GatheredChild }).first {
            return "waits in \(child.function)"
        }
        if engine.state.runningJob == address { return "running" }
        return
            "waits for children (a task group, async let), or for something that the loop does not know"
    }

    private func reason(of wait: WaiterTable.Wait) -> String {
        var text = wait.task == nil ? "waits in Task.sleep" : "waits for \(wait.reason)"
        if let queue = wait.queue, let task = endOfTask[ObjectIdentifier(queue)] {
            text = "waits for \(DebugReport.Work(task, in: nil))"
        }
        if let began = observer?.observedWait(wait.token)?.began {
            text += ", for \(began.duration(to: engine.reactor.now).readable)"
        }
        return text
    }

    private func description(of wait: WaiterTable.Wait) -> String {
        guard let name = observer?.observedWait(wait.token)?.taskName else { return reason(of: wait) }
        return "task \(name): \(reason(of: wait))"
    }
}

extension EventLoop {
    /// What each task of the loop does or waits for, as text, a line for each: children stand under the task
    /// that started them; asyncio's `all_tasks` and `print_stack`, and `asyncio ps`.
    ///
    /// Where a task whose own parent has ended comes from is said beside it. Of tasks that the loop did not
    /// start (plain ones, children of groups) only what they wait for in this library is known. In debug mode
    /// each wait says how long it has lasted on the loop's clock, such tasks have their names, and the
    /// operations of `gather`, `asCompleted` and `race` stand under their parent.
    ///
    ///     Tasks of the event loop: 3
    ///       task main, from Server/main.swift:10: waits in withTaskScope
    ///         withTaskScope: waits for the tasks of its scope, for 12.001 s
    ///           task #3, from Server/main.swift:12: waits for descriptor 7 to be readable, for 11.512 s
    ///
    /// Traps while another thread runs the loop; see ``dumpTasksOnSignal(_:)``.
    public func dumpTasks() -> String {
        engine.assertMayBeUsedHere("dumpTasks")
        return TaskDump(engine: engine).text
    }

    /// ``dumpTasks()-method`` of the loop that runs on this thread.
    ///
    /// - Precondition: A loop runs on this thread.
    public static func dumpTasks() -> String {
        current(for: "EventLoop.dumpTasks()").dumpTasks()
    }
}
