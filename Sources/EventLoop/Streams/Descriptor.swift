import Glibc

/// An open, non-blocking file descriptor of a loop: what is known of its readiness, and who waits for it.
///
/// The rule of every operation: try the system call first, and wait only when the kernel would block. The
/// descriptor is registered at the first wait, once for both directions, edge-triggered. From then on
/// readiness is cached: a short count means that the kernel's buffer is drained, so the next operation
/// waits without asking for an EAGAIN. What arrives after that makes a new edge.
///
/// A hang-up makes one edge only, perhaps together with the last data, so from then on the direction
/// counts as ready for good: the system calls tell the rest (data, then the end or the error). Urgent
/// data (MSG_OOB, as telnet clients send it) makes recv(2) stop at its mark, with more behind it, so from
/// then on a short count does not mean drained either.
final class Descriptor: DescriptorObserver {
    let engine: Engine
    /// The number, or -1 once closed.
    private(set) var fileDescriptor: CInt
    private var token: UInt64?
    private var mayRead = true
    private var mayWrite = true
    private var isReadHungUp = false
    private var isWriteHungUp = false
    private var hasUrgentMarks = false
    private var reader: WaiterToken?
    private var writer: WaiterToken?
    private var isWriting = false
    private let queuedWriters: WaitQueue

    /// Takes ownership of a non-blocking descriptor.
    init(_ fileDescriptor: CInt, engine: Engine) {
        self.fileDescriptor = fileDescriptor
        self.engine = engine
        queuedWriters = WaitQueue(for: .writable(fileDescriptor))
    }

    deinit {
        // Not watched any more, or the loop's table would hold it; so no event can find it.
        if fileDescriptor >= 0 { _ = Glibc.close(fileDescriptor) }
    }

    var isClosed: Bool { fileDescriptor < 0 }

    /// The number, for a call that does not wait. Traps while another thread runs the loop.
    func openNumber(for what: @autoclosure () -> String) throws -> CInt {
        engine.assertMayBeUsedHere(what())
        guard fileDescriptor >= 0 else { throw StreamError.closed }
        return fileDescriptor
    }

    // MARK: - Events

    func descriptorIsReady(_ readiness: Reactor.Readiness) {
        let failed = !readiness.isDisjoint(with: [.hangup, .error])
        if failed || readiness.contains(.readHangup) { isReadHungUp = true }
        if failed { isWriteHungUp = true }
        if readiness.contains(.priority) { hasUrgentMarks = true }
        if isReadHungUp || readiness.contains(.read) {
            mayRead = true
            if let reader { engine.wake(reader) }
        }
        if isWriteHungUp || readiness.contains(.write) {
            mayWrite = true
            if let writer { engine.wake(writer) }
        }
    }

    func loopIsClosing() {
        close()
    }

    private func register() throws {
        guard token == nil else { return }
        let token = engine.observers.insert(self)
        do {
            try engine.reactor.watch(fileDescriptor, token: token)
        } catch {
            engine.observers.remove(token)
            throw error
        }
        self.token = token
    }

    // MARK: - Waiting

    @inline(__always)
    func waitReadable() async throws {
        precondition(
            reader == nil || isClosed,
            "Two tasks read from the same stream, or accept from the same listener: one at a time.")
        try register()
        let token = engine.reserveWait(for: .readable(fileDescriptor))
        reader = token
        let wakeup = await engine.park(token)
        reader = nil
        if wakeup == .cancelled { throw CancellationError() }
    }

    /// Like ``waitReadable()``, but at most for `duration`.
    func waitReadable(atMost duration: Duration) async throws {
        let token = engine.reserveWait(for: .readable(fileDescriptor))
        reader = token
        let timer = engine.reactor.startTimer(
            at: engine.reactor.now.advanced(by: duration), token: token.rawValue)
        let wakeup = await engine.park(token)
        reader = nil
        engine.reactor.cancelTimer(timer)
        if wakeup == .cancelled { throw CancellationError() }
    }

    func waitWritable() async throws {
        try register()
        let token = engine.reserveWait(for: .writable(fileDescriptor))
        writer = token
        let wakeup = await engine.park(token)
        writer = nil
        if wakeup == .cancelled { throw CancellationError() }
    }

    /// For a connection under way, which is not writable until it is there or has failed.
    func waitForFirstWritable() async throws {
        mayWrite = false
        while !mayWrite {
            try await waitWritable()
            if isClosed { throw StreamError.closed }
        }
    }

    // MARK: - Operations

    /// Repeats a read-like system call until it returns something, waiting when it would block.
    ///
    /// - Parameters:
    ///   - full: The count that says there may be more; a smaller one means drained.
    ///   - call: The call's name for errors.
    ///   - attempt: Makes the system call on the descriptor. Returns its count, or a negated errno.
    @inline(__always)
    func read(full: Int, call: String, _ attempt: (CInt) -> Int) async throws -> Int {
        engine.assertOnLoop("reading from a stream")
        try await engine.spendBudget()
        while true {
            guard fileDescriptor >= 0 else { throw StreamError.closed }
            if mayRead {
                let count = attempt(fileDescriptor)
                if count >= 0 {
                    // 0 is the end, and stays it: no edge will come again.
                    if count > 0 && count < full && !isReadHungUp && !hasUrgentMarks { mayRead = false }
                    return count
                }
                switch CInt(-count) {
                case EINTR: continue
                case EAGAIN: mayRead = false
                case let code: throw SystemError(call: call, code: code)
                }
            }
            try await waitReadable()
        }
    }

    /// Writes `count` bytes. Writers take turns in the order of their calls, so that no one's bytes stand
    /// among another's.
    @inline(__always)
    func writeAll(_ count: Int, call: String, _ attempt: (_ fileDescriptor: CInt, _ offset: Int) -> Int)
        async throws
    {
        engine.assertOnLoop("writing to a stream")
        if isWriting {
            guard await engine.suspend(in: queuedWriters) == .woken else { throw CancellationError() }
        }
        isWriting = true
        defer { isWriting = engine.wakeFirst(in: queuedWriters) }
        // Not before it has its turn, or those whom it lets go first could write first.
        try await engine.spendBudget()
        var written = 0
        while written < count {
            guard fileDescriptor >= 0 else { throw StreamError.closed }
            if mayWrite {
                let step = attempt(fileDescriptor, written)
                if step >= 0 {
                    written += step
                    if written < count && !isWriteHungUp { mayWrite = false }
                    continue
                }
                switch CInt(-step) {
                case EINTR: continue
                case EAGAIN: mayWrite = false
                case let code: throw SystemError(call: call, code: code)
                }
            }
            try await waitWritable()
        }
        if fileDescriptor < 0 { throw StreamError.closed }
    }

    /// Forgets it in the reactor first, so that the number can be reused, then wakes who waits.
    func close() {
        guard fileDescriptor >= 0 else { return }
        if let token {
            engine.reactor.unwatch(fileDescriptor)
            engine.observers.remove(token)
        }
        token = nil
        // Linux frees the number even when close reports EINTR or EIO; it must not be called again.
        _ = Glibc.close(fileDescriptor)
        fileDescriptor = -1
        if let reader { engine.wake(reader) }
        if let writer { engine.wake(writer) }
        engine.wakeAll(in: queuedWriters)
    }

    /// For the end of its owner's life, on whichever thread that is.
    func closeFromAnywhere() {
        nonisolated(unsafe) let descriptor = self
        engine.performWhereverItRuns { descriptor.close() }
    }
}
