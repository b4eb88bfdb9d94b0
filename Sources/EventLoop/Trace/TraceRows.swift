/// Which row of a log a task of the runtime's is, and the state that it is in, for the tasks that live.
///
/// The runtime tells a task by its address, which is another task's as soon as the first is gone. A task that
/// is known to wait, to be ready or to run is surely the same one when it is seen again. One whose last step
/// ended nobody knows how may be gone: then the runtime's number for the task decides, which no other has.
struct TraceRows {
    enum State {
        case ready
        case running
        case waiting
        case unknown
    }

    struct Row {
        let address: UInt
        let number: UInt32
        var state: State
        /// The runtime's number.
        let jobID: UInt64
        /// The number of its node; 0 for a task that the loop does not know.
        var nodeID: UInt64 = 0
        var isOver = false
        /// The wait that was reserved last. A task may change executors before it parks, by another step.
        var token = WaiterToken(rawValue: 0)
        /// It has become ready while it runs: a yield.
        var isReadyAgain = false
        /// The row that awaits it in place, or -1, and how many such children it has itself.
        var awaitedBy = -1
        var children = 0
        var hasName = false
    }

    private(set) var rows: [Row] = []
    private var free: [Int] = []
    private var indices: [UInt: Int] = [:]

    subscript(index: Int) -> Row {
        get { rows[index] }
        _modify { yield &rows[index] }
    }

    func index(of address: UInt) -> Int? { indices[address] }

    mutating func insert(_ row: Row) -> Int {
        let index: Int
        if let last = free.popLast() {
            index = last
            rows[index] = row
        } else {
            index = rows.count
            rows.append(row)
        }
        indices[row.address] = index
        return index
    }

    mutating func remove(_ index: Int) {
        indices[rows[index].address] = nil
        free.append(index)
    }

    /// The runtime's number for a live task, or 0 for a job that is none. Only its description tells it.
    static func jobID(of address: UInt) -> UInt64 {
        var id: UInt64 = 0
        for byte in unsafeBitCast(address, to: UnownedJob.self).description.utf8 where byte &- 48 < 10 {
            id = id &* 10 &+ UInt64(byte &- 48)
        }
        return id
    }
}
