/// What is to run in the next turn, first in, first out.
struct ReadyQueue {
    /// One thing to run. A job remembers which executor it came through: the runtime must be told the
    /// same one, or code that is already where it belongs would be sent there again.
    enum Item {
        case job(UnownedJob)
        case isolatedJob(UnownedJob)
        /// A job that ends a `Task.sleep`.
        case wakingJob(UnownedJob)
        case call(ScheduledCall)
        /// A task that lets the others go first.
        case yielded(UnsafeContinuation<Void, Never>)
    }

    /// A ring whose capacity is a power of two, so that a position wraps by a mask.
    private var ring: UnsafeMutablePointer<Item>
    private var mask: Int
    private var head = 0
    private(set) var count = 0

    init(minimumCapacity: Int = 64) {
        precondition(minimumCapacity > 0 && minimumCapacity & (minimumCapacity - 1) == 0)
        ring = .allocate(capacity: minimumCapacity)
        mask = minimumCapacity - 1
    }

    var isEmpty: Bool { count == 0 }

    mutating func append(_ item: Item) {
        if count > mask { grow() }
        (ring + (head + count) & mask).initialize(to: item)
        count += 1
    }

    mutating func removeFirst() -> Item {
        let item = (ring + head).move()
        head = (head + 1) & mask
        count -= 1
        return item
    }

    mutating func removeLast() -> Item {
        count -= 1
        return (ring + (head + count) & mask).move()
    }

    /// Takes the item at `position`, counted from the first; those before it stay in their order.
    mutating func remove(at position: Int) -> Item {
        let item = (ring + (head + position) & mask).move()
        for index in stride(from: position, to: 0, by: -1) {
            (ring + (head + index) & mask).moveInitialize(from: ring + (head + index - 1) & mask, count: 1)
        }
        head = (head + 1) & mask
        count -= 1
        return item
    }

    func isCall(at position: Int) -> Bool {
        if case .call = ring[(head + position) & mask] { true } else { false }
    }

    /// The calls among what is ready.
    var calls: [ScheduledCall] {
        (0..<count).compactMap { position in
            if case .call(let call) = ring[(head + position) & mask] { call } else { nil }
        }
    }

    /// Where the first call stands, if there is one.
    var firstCall: Int? { (0..<count).first(where: isCall(at:)) }

    /// The addresses of the jobs that are to run, and so of tasks.
    var jobs: [UInt] {
        (0..<count).compactMap { position in
            switch ring[(head + position) & mask] {
            case .job(let job), .isolatedJob(let job), .wakingJob(let job): unsafeBitCast(job, to: UInt.self)
            case .yielded(let continuation): unsafeBitCast(continuation, to: UInt.self)
            case .call: nil
            }
        }
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Item>.allocate(capacity: (mask + 1) * 2)
        let untilEnd = mask + 1 - head
        larger.moveInitialize(from: ring + head, count: untilEnd)
        (larger + untilEnd).moveInitialize(from: ring, count: head)
        ring.deallocate()
        ring = larger
        mask = mask * 2 + 1
        head = 0
    }

    /// Drops what is left and gives the memory back. Not to be used again.
    mutating func deallocate() {
        while !isEmpty {
            if case .call(let call) = removeFirst() { call.forget() }
        }
        ring.deallocate()
    }
}
