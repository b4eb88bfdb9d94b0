import Glibc

/// What a thread of a pool is to do.
struct ThreadWork: Sendable {
    let run: @Sendable () -> Void
    let announce: @Sendable () -> Void
}

/// The threads of a pool and the work that waits for them. Apart from the pool, because the threads hold
/// it: it lives until the last of them has ended.
final class ThreadCrew: Sendable {
    private struct State {
        var queue = WorkQueue()
        var threads: Set<UInt> = []
        /// How many threads exist, those that have not begun to run included.
        var threadCount = 0
        /// How many of them have no work: more work than that needs another thread.
        var idleCount = 0
        /// How many were ever started.
        var startedCount = 0
        var isShutDown = false
    }

    private enum Next {
        case work(ThreadWork)
        case end
    }

    private let size: Int
    private let name: String
    private let idleTimeout: Duration
    private let start: @Sendable (String, @escaping @Sendable () -> Void) -> CInt
    private let state = Monitor(State())
    private let ended = SharedResult<Void>()

    init(
        size: Int, name: String, idleTimeout: Duration,
        start: @escaping @Sendable (String, @escaping @Sendable () -> Void) -> CInt
    ) {
        self.size = size
        self.name = name
        self.idleTimeout = idleTimeout
        self.start = start
    }

    var threadCount: Int { state.withLock { $0.threadCount } }

    var queuedCount: Int { state.withLock { $0.queue.count } }

    func submit(_ work: ThreadWork) throws -> UInt64 {
        let ticket = try state.withLock { state in
            guard !state.isShutDown else { throw ThreadPoolShutDown() }
            let ticket = state.queue.append(work)
            guard state.queue.count > state.idleCount, state.threadCount < size else { return ticket }
            // Under the lock: nobody counts on a thread that then cannot be started.
            let code = start(threadName(state.startedCount + 1)) { [self] in serve() }
            if code == 0 {
                state.startedCount += 1
                state.threadCount += 1
                state.idleCount += 1
            } else if state.threadCount == 0 {
                _ = state.queue.remove(ticket)
                throw SystemError(call: "pthread_create", code: code)
            }
            return ticket
        }
        state.wakeOne()
        return ticket
    }

    func withdraw(_ ticket: UInt64) -> Bool {
        // What is taken out is released outside the lock.
        let work = state.withLock { $0.queue.remove(ticket) }
        return work != nil
    }

    func shutDown() {
        let hasEnded = state.withLock { state in
            state.isShutDown = true
            return state.threadCount == 0
        }
        state.wakeAll()
        if hasEnded { ended.set(.success(())) }
    }

    func join() {
        let isOwn = state.withLock { $0.threads.contains(UInt(pthread_self())) }
        precondition(!isOwn, "join() was called by the pool's own work, for whose end it would wait.")
        _ = ended.wait()
    }

    // MARK: - On its threads

    private func serve() {
        let thread = UInt(pthread_self())
        state.withLock { _ = $0.threads.insert(thread) }
        while let work = takeWork(thread) {
            work.run()
            state.withLock { $0.idleCount += 1 }
            work.announce()
        }
    }

    /// The next work; nil when the thread is to end, and counts no more.
    private func takeWork(_ thread: UInt) -> ThreadWork? {
        let deadline = EventLoop.Instant.real(in: idleTimeout)
        let next =
            state.wait(until: deadline) { state in takeNext(from: &state, thread, isTimeUp: false) }
            // Work may have come in the last moment.
            ?? state.withLock { state in takeNext(from: &state, thread, isTimeUp: true) }!
        if case .work(let work) = next { return work }
        if state.withLock({ $0.isShutDown && $0.threadCount == 0 }) { ended.set(.success(())) }
        return nil
    }

    private func takeNext(from state: inout State, _ thread: UInt, isTimeUp: Bool) -> Next? {
        if let work = state.queue.removeFirst() {
            state.idleCount -= 1
            return .work(work)
        }
        guard isTimeUp || state.isShutDown else { return nil }
        state.idleCount -= 1
        state.threadCount -= 1
        state.threads.remove(thread)
        return .end
    }

    /// The pool's name with a number, in the 15 bytes that the kernel keeps.
    private func threadName(_ number: Int) -> String {
        let suffix = "-\(number)"
        var name = name
        while name.utf8.count + suffix.utf8.count > 15, !name.isEmpty { name.removeLast() }
        return name + suffix
    }
}

/// Work in the order in which it came. What is withdrawn leaves at once, from any place.
private struct WorkQueue {
    private var works: [UInt64: ThreadWork] = [:]
    private var first: UInt64 = 0
    private var end: UInt64 = 0

    var count: Int { works.count }

    mutating func append(_ work: ThreadWork) -> UInt64 {
        works[end] = work
        end += 1
        return end - 1
    }

    mutating func removeFirst() -> ThreadWork? {
        guard !works.isEmpty else {
            first = end
            return nil
        }
        while true {
            defer { first += 1 }
            if let work = works.removeValue(forKey: first) { return work }
        }
    }

    mutating func remove(_ ticket: UInt64) -> ThreadWork? {
        works.removeValue(forKey: ticket)
    }
}
