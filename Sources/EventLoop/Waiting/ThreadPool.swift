import Glibc

/// A bounded set of threads for work that blocks; asyncio's ThreadPoolExecutor.
///
/// Work starts first in, first out. A thread is started when work comes and no thread is idle, as long as
/// there are fewer than ``size``, and ends when nothing came for a while. The threads block the signals
/// that are sent to the process, so that these reach the program's own threads and its loops; a child
/// process that the work starts needs a mask of its own.
///
/// Work that waits for other work of the same pool can wait for ever: there may be no thread left to do it.
///
/// A pool whose last reference goes is shut down: see ``shutdown()``. It may be used from any thread.
public final class ThreadPool: Sendable {
    /// What becomes of an await when its task is cancelled while a thread works for it.
    public enum CancellationRule: Sendable {
        /// The await ends at once. The work goes on, and its result is dropped.
        case abandon
        /// The await goes on until the work is done, and gives its result.
        case wait
    }

    /// The pool that is used where none is named: ``defaultSize`` threads for the whole process, for its
    /// whole life.
    public static let shared = ThreadPool(name: "pool")

    /// Four more than there are processors, and at most 32, as asyncio has it.
    public static var defaultSize: Int { min(32, max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN))) + 4) }

    /// How many threads it has at most.
    public let size: Int
    /// What its threads are called, with a number after it.
    public let name: String
    private let crew: ThreadCrew

    /// Makes a pool without threads.
    ///
    /// - Parameters:
    ///   - size: How many threads it has at most.
    ///   - name: What they are called, with a number after it; the kernel keeps 15 bytes of that.
    ///   - idleTimeout: After how long without work a thread ends.
    /// - Precondition: `size` is positive.
    public convenience init(
        size: Int = ThreadPool.defaultSize, name: String = "pool", idleTimeout: Duration = .seconds(10)
    ) {
        self.init(size: size, name: name, idleTimeout: idleTimeout) { startThread(named: $0, $1) }
    }

    /// - Parameter start: Starts a thread of that name; returns 0 or the error number.
    init(
        size: Int, name: String, idleTimeout: Duration,
        start: @escaping @Sendable (_ name: String, _ body: @escaping @Sendable () -> Void) -> CInt
    ) {
        precondition(size > 0, "A ThreadPool needs at least one thread: give it a positive size.")
        self.size = size
        self.name = name
        crew = ThreadCrew(size: size, name: name, idleTimeout: idleTimeout, start: start)
    }

    deinit {
        crew.shutDown()
    }

    /// How many threads it has now.
    public var threadCount: Int { crew.threadCount }

    /// How much work waits for a thread now.
    public var queuedCount: Int { crew.queuedCount }

    /// Takes no more work. What it has taken is done, the threads then end, and further work gets
    /// ``ThreadPoolShutDown``.
    ///
    /// From any thread, and without waiting for the end: see ``join()``.
    ///
    /// - Precondition: It is not the ``shared`` pool.
    public func shutdown() {
        precondition(
            self !== ThreadPool.shared,
            "ThreadPool.shared belongs to the whole process: shut down pools of your own only.")
        crew.shutDown()
    }

    /// Blocks the calling thread until the pool is shut down and its threads have done their work.
    ///
    /// A task of a loop lets another pool wait: `try await toThread { pool.join() }`.
    ///
    /// - Precondition: The calling thread is none of the pool's.
    public func join() {
        crew.join()
    }

    /// Leaves work for a thread.
    ///
    /// - Parameters:
    ///   - work: What to do.
    ///   - announce: What the thread calls afterwards, when it counts as idle again: whoever hears of the
    ///     end and brings more work finds it.
    /// - Returns: The name of the work for ``withdraw(_:)``.
    /// - Throws: ``ThreadPoolShutDown``; ``SystemError`` when there is no thread and none can be started.
    func submit(
        _ work: @escaping @Sendable () -> Void, announce: @escaping @Sendable () -> Void = {}
    ) throws -> UInt64 {
        try crew.submit(ThreadWork(run: work, announce: announce))
    }

    /// Takes work back. Returns whether no thread had begun it; none will.
    func withdraw(_ work: UInt64) -> Bool { crew.withdraw(work) }
}

/// What work gets that is brought to a pool after ``ThreadPool/shutdown()``.
public struct ThreadPoolShutDown: Error, CustomStringConvertible {
    public var description: String { "The thread pool is shut down and takes no more work." }
}
