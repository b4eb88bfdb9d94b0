/// Names one wait of one task. A token whose wait is over finds nothing and does nothing.
struct WaiterToken: Hashable, Sendable {
    let rawValue: UInt64
}

/// Why a wait is over.
enum Wakeup {
    /// What was awaited has happened.
    case woken
    /// The task was cancelled first.
    case cancelled
}

/// Who is to go on when a token's time has come: each parked task, delayed job and scheduled call.
///
/// The life of a slot: free → reserved → parked → free, or, when the waker or the cancellation comes before
/// the task has parked, free → reserved → over → free. Only the loop's thread touches the table.
struct WaiterTable {
    enum Waiter {
        case free
        case reserved
        case over(Wakeup)
        case task(UnsafeContinuation<Wakeup, Never>)
        /// A task that not even its cancellation wakes.
        case uncancellable(UnsafeContinuation<Wakeup, Never>)
        case job(UnownedJob)
        case call(ScheduledCall)
    }

    private struct Slot {
        var waiter: Waiter
        var generation: UInt32
        var nextFree: UInt32
        /// Neighbours in the wait queue that the waiter stands in, if any.
        var next: UInt32
        var previous: UInt32
        var queue: Unmanaged<WaitQueue>?
        var reason: WaitReason
    }

    private static var none: UInt32 { .max }

    private var slots: UnsafeMutablePointer<Slot>
    private var capacity: UInt32
    private var firstFree: UInt32 = none
    private var used: UInt32 = 0
    private(set) var count = 0

    init() {
        capacity = 64
        slots = .allocate(capacity: Int(capacity))
    }

    mutating func deallocate() {
        for index in 0..<Int(used) {
            if case .call(let call) = slots[index].waiter { call.forget() }
        }
        slots.deinitialize(count: Int(used))
        slots.deallocate()
    }

    // MARK: - Slots

    private func token(of index: UInt32) -> WaiterToken {
        WaiterToken(rawValue: UInt64(slots[Int(index)].generation) << 32 | UInt64(index))
    }

    private func index(of token: WaiterToken) -> UInt32? {
        let index = UInt32(truncatingIfNeeded: token.rawValue)
        guard index < used, slots[Int(index)].generation == UInt32(token.rawValue >> 32) else { return nil }
        return index
    }

    mutating func insert(_ waiter: Waiter, for reason: WaitReason) -> WaiterToken {
        let index: UInt32
        if firstFree != Self.none {
            index = firstFree
            firstFree = slots[Int(index)].nextFree
            slots[Int(index)].waiter = waiter
            slots[Int(index)].reason = reason
        } else {
            if used == capacity { grow() }
            index = used
            used += 1
            (slots + Int(index)).initialize(
                to: Slot(
                    waiter: waiter, generation: 1, nextFree: Self.none, next: Self.none, previous: Self.none,
                    queue: nil, reason: reason))
        }
        count += 1
        return token(of: index)
    }

    private mutating func grow() {
        precondition(capacity < UInt32.max / 2, "More than two billion tasks wait on one loop.")
        let larger = UnsafeMutablePointer<Slot>.allocate(capacity: Int(capacity) * 2)
        larger.moveInitialize(from: slots, count: Int(used))
        slots.deallocate()
        slots = larger
        capacity *= 2
    }

    private mutating func release(_ index: UInt32) {
        slots[Int(index)].waiter = .free
        slots[Int(index)].generation &+= 1
        slots[Int(index)].nextFree = firstFree
        firstFree = index
        count -= 1
    }

    // MARK: - Waits

    /// Puts the continuation into a reserved slot; or says how the wait ended before, and frees the slot.
    mutating func park(
        _ token: WaiterToken, _ continuation: UnsafeContinuation<Wakeup, Never>, isCancellable: Bool = true
    ) -> Wakeup? {
        guard let index = index(of: token) else {
            preconditionFailure("A wait parks once, in the slot that it has reserved.")
        }
        if case .over(let wakeup) = slots[Int(index)].waiter {
            release(index)
            return wakeup
        }
        slots[Int(index)].waiter = isCancellable ? .task(continuation) : .uncancellable(continuation)
        return nil
    }

    /// Ends a wait: takes the waiter out, and out of its queue. A task that has not parked yet will find it
    /// over. Nil: there is nobody to let go on.
    mutating func end(_ token: WaiterToken, with wakeup: Wakeup) -> Waiter? {
        guard let index = index(of: token) else { return nil }
        if let queue = slots[Int(index)].queue {
            unlink(index, from: queue.takeUnretainedValue())
        }
        let waiter = slots[Int(index)].waiter
        switch waiter {
        case .free, .over:
            return nil
        case .reserved:
            slots[Int(index)].waiter = .over(wakeup)
        case .task, .uncancellable, .job, .call:
            release(index)
        }
        return waiter
    }

    /// Takes back a wait whose task will not park.
    mutating func withdraw(_ token: WaiterToken) {
        _ = end(token, with: .cancelled)
        if let index = index(of: token) { release(index) }
    }

    /// What a task or a delayed job waits for, or is about to; nil when that wait is over.
    func reason(of token: WaiterToken) -> WaitReason? {
        guard let index = index(of: token) else { return nil }
        return switch slots[Int(index)].waiter {
        case .reserved, .task, .uncancellable, .job: slots[Int(index)].reason
        case .free, .over, .call: nil
        }
    }

    /// The job that waits under this token, if it is one of the runtime's that its Task.sleep delays.
    func delayedJob(of token: WaiterToken) -> UnownedJob? {
        guard let index = index(of: token), case .job(let job) = slots[Int(index)].waiter else { return nil }
        return job
    }

    /// Every task that is parked now and may be cancelled.
    var parkedTasks: [WaiterToken] {
        (0..<used).compactMap { index in
            if case .task = slots[Int(index)].waiter { token(of: index) } else { nil }
        }
    }

    /// Takes out every call that waits.
    mutating func endCalls() -> [ScheduledCall] {
        (0..<used).compactMap { index in
            guard case .call(let call) = slots[Int(index)].waiter else { return nil }
            _ = end(token(of: index), with: .cancelled)
            return call
        }
    }

    /// A wait that is under way, for a look from outside.
    struct Wait {
        let token: WaiterToken
        /// The address of the task that is parked; nil for a job of the runtime's that its Task.sleep delays.
        let task: UInt?
        let reason: WaitReason
        let queue: WaitQueue?
    }

    /// All waits of tasks, in the order of their slots.
    var waits: [Wait] {
        (0..<used).compactMap { index in
            let slot = slots[Int(index)]
            let task: UInt?
            switch slot.waiter {
            // What a continuation points to is its task.
            case .task(let continuation), .uncancellable(let continuation):
                task = unsafeBitCast(continuation, to: UInt.self)
            case .job: task = nil
            case .free, .reserved, .over, .call: return nil
            }
            return Wait(
                token: token(of: index), task: task, reason: slot.reason,
                queue: slot.queue?.takeUnretainedValue())
        }
    }

    // MARK: - Queues: lists through the slots, so that a cancelled waiter leaves its queue at once

    mutating func enqueue(_ token: WaiterToken, in queue: WaitQueue) {
        guard let index = index(of: token) else { return }
        slots[Int(index)].queue = Unmanaged.passUnretained(queue)
        slots[Int(index)].next = Self.none
        slots[Int(index)].previous = queue.last
        if queue.last == Self.none { queue.first = index } else { slots[Int(queue.last)].next = index }
        queue.last = index
        queue.count += 1
    }

    private mutating func unlink(_ index: UInt32, from queue: WaitQueue) {
        let (next, previous) = (slots[Int(index)].next, slots[Int(index)].previous)
        if previous == Self.none { queue.first = next } else { slots[Int(previous)].next = next }
        if next == Self.none { queue.last = previous } else { slots[Int(next)].previous = previous }
        slots[Int(index)].queue = nil
        queue.count -= 1
    }

    func firstToken(of queue: WaitQueue) -> WaiterToken? {
        queue.first == Self.none ? nil : token(of: queue.first)
    }
}

/// The tasks that wait for one thing, in the order in which they came. It holds live waiters only.
class WaitQueue {
    final let reason: WaitReason
    fileprivate(set) final var first = UInt32.max
    fileprivate(set) final var last = UInt32.max
    fileprivate(set) final var count = 0

    init(for reason: WaitReason) {
        self.reason = reason
    }

    final var isEmpty: Bool { count == 0 }
}
