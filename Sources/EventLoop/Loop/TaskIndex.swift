/// Finds what a loop knows of the task that is running, if the loop started it.
///
/// A cancellation handler of the runtime costs a fifth of an await. A task that the loop started is cancelled
/// through the loop alone, which ends the wait that it finds here; so none of its waits needs a handler.
///
/// Keys are the addresses of live tasks, in a table with open addressing; only the loop's thread touches it.
struct TaskIndex {
    private struct Entry {
        var task: UInt
        var node: Unmanaged<TaskNode>
    }

    private var entries: UnsafeMutablePointer<Entry?>
    private var mask: Int
    private var count = 0

    init() {
        mask = 63
        entries = .allocate(capacity: mask + 1)
        entries.initialize(repeating: nil, count: mask + 1)
    }

    /// The entries hold nothing alive: a task that has not ended has its node from elsewhere.
    func deallocate() {
        entries.deallocate()
    }

    /// Where the search for a task begins. Addresses are multiples of 16, and the high bits differ little.
    @inline(__always)
    private func home(of task: UInt) -> Int {
        Int(truncatingIfNeeded: (task >> 4) &* 0x9E37_79B9_7F4A_7C15 >> 20) & mask
    }

    @inline(__always)
    subscript(task: UInt) -> TaskNode? {
        var position = home(of: task)
        while let entry = entries[position] {
            if entry.task == task { return entry.node.takeUnretainedValue() }
            position = (position + 1) & mask
        }
        return nil
    }

    /// All tasks that have taken their first step and have not ended, by their addresses.
    var tasks: [UInt: TaskNode] {
        var tasks: [UInt: TaskNode] = [:]
        for position in 0...mask {
            if let entry = entries[position] { tasks[entry.task] = entry.node.takeUnretainedValue() }
        }
        return tasks
    }

    mutating func insert(_ node: TaskNode, for task: UInt) {
        if (count + 1) * 2 > mask + 1 { resize(to: (mask + 1) * 2) }
        place(Entry(task: task, node: .passUnretained(node)))
        count += 1
    }

    private mutating func place(_ entry: Entry) {
        var position = home(of: entry.task)
        while entries[position] != nil { position = (position + 1) & mask }
        entries[position] = entry
    }

    mutating func remove(_ task: UInt) {
        var gap = home(of: task)
        while let entry = entries[gap], entry.task != task { gap = (gap + 1) & mask }
        guard entries[gap] != nil else { return }
        count -= 1
        // What follows moves up into the gap, unless that would put it before its home.
        var position = (gap + 1) & mask
        while let entry = entries[position] {
            if (position - home(of: entry.task)) & mask >= (position - gap) & mask {
                entries[gap] = entry
                gap = position
            }
            position = (position + 1) & mask
        }
        entries[gap] = nil
        if mask > 63 && count * 8 < mask + 1 { resize(to: (mask + 1) / 2) }
    }

    private mutating func resize(to capacity: Int) {
        let (former, formerCapacity) = (entries, mask + 1)
        entries = .allocate(capacity: capacity)
        entries.initialize(repeating: nil, count: capacity)
        mask = capacity - 1
        for position in 0..<formerCapacity {
            if let entry = former[position] { place(entry) }
        }
        former.deallocate()
    }
}
