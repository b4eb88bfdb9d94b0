// How the recorder follows tasks through their steps.
//
// A step of the loop is a task's run from one suspension to the next. Within it other tasks may run that
// start at once (children of gather, bodies of timeouts, eager tasks), from their beginning to their first
// suspension: what runs is a stack. The loop tells when such a child begins and when it parks, but not when
// it waits in a way that this library knows nothing of; that shows when its parent is heard of again.

extension TraceFollower {
    mutating func stepBegan(_ step: LoopStep) {
        let time = lastEnd ?? now
        switch step {
        case .call(let call):
            let post = postedCalls.isEmpty ? nil : postedCalls.removeValue(forKey: ObjectIdentifier(call))
            begin(post.map { .posted($0) } ?? .plain, site: site(of: call), at: time)
        case .task(let address) where !sleepEnds.isEmpty && sleepEnds.contains(address):
            begin(.sleepEnd, at: time)
        case .task(let address):
            if let index = rowOfLiveTask(address, at: time) {
                begin(index, at: time)
            } else {
                begin(.runtime, at: time)
                runtimeJobBegan = time
            }
        }
    }

    mutating func stepEnded(_ step: LoopStep) {
        let time = now
        lastEnd = time
        // The first step of a recording may have begun before it.
        while running.count > 1 { endInnermost(at: time) }
        if let index = running.last {
            if index >= 0 {
                endInnermost(at: time)
            } else {
                running.removeLast()
                add(.callEnded, at: time)
            }
        }
        if case .task(let address) = step, !sleepEnds.isEmpty { sleepEnds.remove(address) }
        runtimeJobBegan = nil
        cause = .nobody
    }

    private mutating func begin(_ call: TraceEvent.Call, site: UInt32 = 0, at time: UInt64) {
        running.append(-1)
        if case .sleepEnd = call { cause = .timer(lateness: 0) } else { cause = .call }
        add(.callBegan(call), row: site, at: time)
    }

    mutating func begin(_ index: Int, at time: UInt64) {
        running.append(index)
        rows[index].state = .running
        rows[index].isReadyAgain = false
        cause = .task(rows[index].number)
        add(.stepBegan, row: rows[index].number, at: time)
    }

    /// What runs innermost has suspended, or ended.
    private mutating func endInnermost(at time: UInt64) {
        let index = running.removeLast()
        guard index >= 0 else { return }
        leave(index, at: time)
        if let outer = running.last { cause = outer >= 0 ? .task(rows[outer].number) : .call }
    }

    /// Writes down how a task is left by its step.
    mutating func leave(_ index: Int, at time: UInt64) {
        let row = rows[index]
        let left: TraceEvent.Left
        if row.isOver {
            left = .over
        } else if row.isReadyAgain {
            left = .ready
            rows[index].state = .ready
        } else if let reason = engine.waiters.reason(of: row.token) {
            left = .waiting(reason)
            rows[index].state = .waiting
        } else if row.children > 0 {
            left = .waiting(.children)
            rows[index].state = .waiting
        } else {
            left = .unknown
            rows[index].state = .unknown
        }
        add(.stepEnded(left), row: row.number, at: time)
        if row.isOver { remove(index) }
    }

    private mutating func remove(_ index: Int) {
        writer.end(rows[index].number)
        rows.remove(index)
    }

    /// Makes sure that the task that is heard of is the innermost that runs, and returns its row.
    private mutating func innermost(_ address: UInt) -> Int? {
        if let index = running.last, index >= 0, rows[index].address == address { return index }
        let time = now
        if let position = running.lastIndex(where: { $0 >= 0 && rows[$0].address == address }) {
            while running.count > position + 1 { endInnermost(at: time) }
            return running[position]
        }
        // Nobody has told: it started at once; or an actor's job runs it, as the first from its beginning.
        let began = runtimeJobBegan ?? time
        runtimeJobBegan = nil
        guard let index = rowOfLiveTask(address, at: began) else { return nil }
        begin(index, at: began)
        return index
    }

    // MARK: - Waits and wake-ups

    mutating func waitBegan(_ token: WaiterToken) {
        let address = runningTask
        guard address != 0, let index = innermost(address) else { return }
        rows[index].token = token
        nameIfNeeded(index)
        if let job = engine.waiters.delayedJob(of: token) {
            sleepEnds.insert(unsafeBitCast(job, to: UInt.self))
        }
        // A step within another ends here, since it parks next.
        if running.count > 1 { endInnermost(at: now) }
    }

    mutating func becameReady(_ step: LoopStep) {
        switch step {
        case .call(let call):
            if case .post(let post) = cause { postedCalls[ObjectIdentifier(call)] = post }
        case .task(let address):
            guard sleepEnds.isEmpty || !sleepEnds.contains(address) else { return }
            if let index = running.last, index >= 0, rows[index].address == address, running.count == 1 {
                rows[index].isReadyAgain = true  // A yield; and a look-up less.
                return
            }
            if let index = rows.index(of: address) {
                if rows[index].state == .ready { return }
                if rows[index].state == .running {
                    rows[index].isReadyAgain = true
                    if running.count > 1, running.last == index { endInnermost(at: now) }
                    return
                }
            }
            let time = now
            guard let index = rowOfLiveTask(address, at: time) else { return }
            rows[index].state = .ready
            rows[index].token = WaiterToken(rawValue: 0)
            add(.ready(by: cause), row: rows[index].number, at: time)
        }
    }

    // MARK: - Tasks that the loop knows

    mutating func taskBegan(_ node: TaskNode) {
        let address = runningTask
        if let index = running.last, index >= 0, rows[index].address == address {
            know(index, node)
            return
        }
        let time = now
        let isAwaited = !(node is TaskRecord)
        // Of the children that one awaits, those before this may have suspended without a word.
        while isAwaited, running.count > 1, let index = running.last, index >= 0,
            rows[index].nodeID != node.parentID
        {
            endInnermost(at: time)
        }
        let parent = running.last ?? -1
        guard let index = rowOfLiveTask(address, at: time) else { return }
        know(index, node)
        if isAwaited && parent >= 0 { setAwaited(index, by: parent) }
        begin(index, at: time)
    }

    mutating func taskEnded() {
        guard let index = innermost(runningTask) else { return }
        rows[index].isOver = true
        let parent = rows[index].awaitedBy
        if parent >= 0 { rows[parent].children -= 1 }
        if running.count > 1 { endInnermost(at: now) }
    }
}
