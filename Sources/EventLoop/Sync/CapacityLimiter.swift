/// Limits how much is under way at a time, and knows who is: one permit for each borrower, and a total that
/// may change at run time; trio's CapacityLimiter.
///
///     let limiter = CapacityLimiter(40)
///     try await limiter.withPermit { try await fetch(url) }
///
/// The borrower is the current task, or an object that is named instead, for work that outlives its task or
/// that is not one, such as a thread's. A child of a task is a borrower of its own, as is the body of a
/// timeout: it has to release what it has acquired. A borrower asks once: asking again before it has released
/// traps, also while permits are free, because it would wait for itself when they are not. Borrowers get
/// their permits in the order in which they asked; nobody who comes in between can take one first.
///
/// Bound to its loop's thread; use from another traps.
public final class CapacityLimiter: @unchecked Sendable {
    private let permits: Permits
    private var limit: Int
    /// Who has a permit or waits for one, by address. An object is kept, so that its address stays its own.
    private var borrowers: [UInt: AnyObject?] = [:]

    /// Makes a limiter with nothing borrowed.
    ///
    /// - Parameters:
    ///   - total: How many permits there are; at least 0.
    ///   - loop: The loop that it belongs to; nil means the one that runs on this thread.
    /// - Precondition: A loop runs on this thread, or `loop` is given.
    public init(_ total: Int, on loop: EventLoop? = nil) {
        Self.checkTotal(total)
        permits = Permits(total, engine: (loop ?? EventLoop.current(for: "CapacityLimiter()")).engine)
        limit = total
    }

    /// How many permits there are; at least 0. It may be set at any time.
    ///
    /// A higher total lets those who wait go on, as far as it reaches. A lower one takes nothing away: those
    /// who have a permit keep it, and nobody gets one until enough have come back. Zero is a pause.
    ///
    /// - Precondition: On the loop's thread, or the loop does not run.
    public var total: Int {
        get {
            permits.engine.assertMayBeUsedHere("CapacityLimiter.total")
            return limit
        }
        set {
            permits.engine.assertMayBeUsedHere("CapacityLimiter.total")
            Self.checkTotal(newValue)
            let change = newValue - limit
            limit = newValue
            permits.add(change)
        }
    }

    /// How many permits are lent. More than ``total`` for a while after that was lowered.
    public var borrowed: Int { total - permits.free }

    /// How many permits are free.
    public var available: Int {
        permits.engine.assertMayBeUsedHere("CapacityLimiter.available")
        return max(permits.free, 0)
    }

    /// How many borrowers wait for a permit.
    public var waitingCount: Int {
        permits.engine.assertMayBeUsedHere("CapacityLimiter.waitingCount")
        return permits.waitingCount
    }

    /// Lends a permit, at once when one is free, or when all who asked before have had one.
    ///
    /// Prefer ``withPermit(for:_:)``, which cannot forget the release.
    ///
    /// - Parameter borrower: Who gets it; nil means the current task. The limiter keeps it until the release.
    /// - Throws: `CancellationError` when the task is cancelled before it goes on. The borrower has no permit
    ///   then; if one had been handed over already, the next in line gets it.
    /// - Precondition: The borrower neither has a permit nor waits for one. On the loop's thread.
    public func acquire(for borrower: AnyObject? = nil) async throws {
        permits.engine.assertOnLoop("CapacityLimiter.acquire")
        let address = enroll(borrower)
        do {
            try await permits.acquire()
        } catch {
            borrowers[address] = nil
            throw error
        }
    }

    /// Lends a permit if one is free.
    ///
    /// - Parameter borrower: Who gets it; nil means the current task.
    /// - Returns: Whether the borrower has it now.
    /// - Precondition: The borrower neither has a permit nor waits for one. On the loop's thread, or the loop
    ///   does not run.
    public func tryAcquire(for borrower: AnyObject? = nil) -> Bool {
        permits.engine.assertMayBeUsedHere("CapacityLimiter.tryAcquire")
        let address = enroll(borrower)
        if permits.tryAcquire() { return true }
        borrowers[address] = nil
        return false
    }

    /// Takes the borrower's permit back, and lends it to the first that waits, if the total allows.
    ///
    /// - Parameter borrower: Who has it; nil means the current task. An object's permit may be released by
    ///   any task.
    /// - Precondition: The borrower has a permit. On the loop's thread, or the loop does not run.
    public func release(for borrower: AnyObject? = nil) {
        permits.engine.assertMayBeUsedHere("CapacityLimiter.release")
        precondition(
            borrowers.removeValue(forKey: address(of: borrower)) != nil,
            "This borrower has no permit of this limiter: release it for the task or object that acquired it."
        )
        permits.add(1)
    }

    /// Runs `body` while the borrower has a permit, and releases that however the body ends.
    ///
    /// The body runs where its caller runs. It keeps the permit when it is cancelled, until it ends.
    ///
    /// - Parameter borrower: Who gets the permit; nil means the current task.
    /// - Returns: What the body returned.
    /// - Throws: What the body threw; `CancellationError` as ``acquire(for:)`` does, the body not being run.
    /// - Precondition: The borrower neither has a permit nor waits for one. On the loop's thread.
    @discardableResult
    @inlinable
    public func withPermit<Value>(
        for borrower: AnyObject? = nil, _ body: () async throws -> Value
    ) async throws -> Value {
        try await acquire(for: borrower)
        defer { release(for: borrower) }
        return try await body()
    }

    // MARK: - Borrowers

    private func enroll(_ borrower: AnyObject?) -> UInt {
        let address = address(of: borrower)
        precondition(
            borrowers.updateValue(borrower, forKey: address) == nil,
            "This borrower has a permit of this limiter, or waits for one: it gets one at a time, or it could wait for itself."
        )
        return address
    }

    private func address(of borrower: AnyObject?) -> UInt {
        if let borrower { return UInt(bitPattern: Unmanaged.passUnretained(borrower).toOpaque()) }
        let task = withUnsafeCurrentTask { unsafeBitCast($0, to: UInt.self) }
        precondition(task != 0, "A limiter lends to the current task, and here is none: name the borrower.")
        return task
    }

    private static func checkTotal(_ total: Int) {
        precondition(total >= 0, "A limiter cannot have a total of \(total): give it 0 or more.")
    }
}
