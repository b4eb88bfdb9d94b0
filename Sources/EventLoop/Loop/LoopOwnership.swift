import Glibc

// Which thread may touch what belongs to a loop: the one that runs it, and no other. While none does, any one
// thread, and which one is up to the program; but a last reference goes when it goes, perhaps on one thread
// just when another begins to run the loop. So what a deinit does takes the loop for that moment.

extension Engine {
    /// In ``runner`` beside a thread that acts in the loop's place for a moment. No address has this bit.
    private static let isBorrowed: UInt = 1 << 63

    var isOnLoopThread: Bool {
        runner.load(ordering: .relaxed) & ~Self.isBorrowed == UInt(pthread_self())
    }

    var isRunning: Bool {
        let runner = runner.load(ordering: .acquiring)
        return runner != 0 && runner & Self.isBorrowed == 0
    }

    // MARK: - Traps

    /// Traps when another thread than the loop's uses what belongs to the loop.
    @inline(__always)
    func assertOnLoop(_ what: @autoclosure () -> String) {
        precondition(
            isOnLoopThread,
            "\(what()) was called outside its event loop's thread: call it there, or hand it over with callSoonThreadSafe."
        )
    }

    /// Traps when the loop runs on another thread.
    func assertMayBeUsedHere(_ what: @autoclosure () -> String) {
        precondition(
            isOnLoopThread || !isRunning,
            "\(what()) was called while another thread runs the event loop: use callSoonThreadSafe.")
    }

    // MARK: - Taking the loop, and giving it back

    /// The calling thread runs the loop from here on.
    func beginRunning() {
        let owner = take(for: UInt(pthread_self()))
        precondition(owner == nil, "Another thread runs this event loop already.")
    }

    func endRunning() {
        runner.store(0, ordering: .releasing)
    }

    /// Does it here, if no other thread runs the loop, or leaves it for the loop. From any thread.
    func performWhereverItRuns(_ action: @escaping @Sendable () -> Void) {
        if isOnLoopThread { return action() }
        if take(for: UInt(pthread_self()) | Self.isBorrowed) != nil { return post(.perform(action)) }
        action()
        runner.store(0, ordering: .releasing)
    }

    /// Sets who has the loop, as soon as nobody borrows it. Returns who runs it, if anybody does.
    private func take(for owner: UInt) -> UInt? {
        while true {
            let (isTaken, former) = runner.compareExchange(
                expected: 0, desired: owner, ordering: .acquiringAndReleasing)
            if isTaken { return nil }
            if former & Self.isBorrowed == 0 { return former }
            sched_yield()
        }
    }
}
