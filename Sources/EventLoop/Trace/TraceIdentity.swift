// Whose row is whose: finding the task that is heard of, and what it is called.

extension TraceFollower {
    /// The address of the task that runs, or 0.
    var runningTask: UInt { withUnsafeCurrentTask { unsafeBitCast($0, to: UInt.self) } }

    /// The row of a task that lives: the one that it has, or a new one. Nil for a job that is no task.
    mutating func rowOfLiveTask(_ address: UInt, at time: UInt64) -> Int? {
        guard let index = rows.index(of: address) else { return addRow(for: address, at: time) }
        let row = rows[index]
        guard row.state == .unknown, row.nodeID == 0 else { return index }
        if row.jobID == TraceRows.jobID(of: address) { return index }
        // The task that had this address has ended.
        add(.stepEnded(.over), row: row.number, at: time)
        writer.end(row.number)
        rows.remove(index)
        return addRow(for: address, at: time)
    }

    private mutating func addRow(for address: UInt, at time: UInt64) -> Int? {
        let jobID = TraceRows.jobID(of: address)
        guard jobID > 0 else { return nil }
        var parent: UInt32 = 0
        if let index = running.last, index >= 0 { parent = rows[index].number }
        let number = writer.addRow(TraceTaskInfo(jobID: jobID, parent: parent, spawned: time))
        let index = rows.insert(
            TraceRows.Row(address: address, number: number, state: .unknown, jobID: jobID))
        if let node = engine.taskIndex[address] { know(index, node) }
        return index
    }

    /// The row's task has a node.
    mutating func know(_ index: Int, _ node: TaskNode) {
        rows[index].nodeID = node.id
        rows[index].hasName = true
        let name = node.label
        writer.log.change(rows[index].number) { info in
            info.name = name
            if let record = node as? TaskRecord {
                info.fileID = record.fileID
                info.line = record.line
            }
        }
    }

    /// Gives a plain task that runs its name, if it has one.
    mutating func nameIfNeeded(_ index: Int) {
        guard !rows[index].hasName else { return }
        rows[index].hasName = true
        if let name = Task.name { writer.log.change(rows[index].number) { $0.name = name } }
    }

    /// The tasks that are under way when the recording begins.
    mutating func addKnownTasks() {
        let time = now
        let current = engine.isOnLoopThread ? runningTask : 0
        var known: [(index: Int, node: TaskNode)] = []
        var indices: [UInt64: Int] = [:]
        for (address, node) in engine.taskIndex.tasks.sorted(by: { $0.value.id < $1.value.id }) {
            guard let index = addRow(for: address, at: time) else { continue }
            known.append((index, node))
            indices[node.id] = index
            guard let parent = indices[node.parentID] else { continue }
            writer.log.change(rows[index].number) { [number = rows[parent].number] in $0.parent = number }
            if !(node is TaskRecord) { setAwaited(index, by: parent) }
        }
        for (index, node) in known where rows[index].address != current {
            rows[index].token = node.token
            leave(index, at: time)
        }
        if current != 0, let index = rowOfLiveTask(current, at: time) { begin(index, at: time) }
    }

    /// A task that is awaited in place by the one that started it.
    mutating func setAwaited(_ index: Int, by parent: Int) {
        guard rows[index].awaitedBy < 0 else { return }
        rows[index].awaitedBy = parent
        rows[parent].children += 1
    }
}
