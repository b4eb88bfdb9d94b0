import Glibc
import Synchronization
import TestSupport
import Testing

@testable import EventLoop

@Suite("ThreadPool", .timeLimit(.minutes(5)))
struct ThreadPoolTests {
    // MARK: - Threads and their number

    @Test("no more threads than its size, and no work is lost")
    func bounded() async throws {
        try await onThread {
            let pool = ThreadPool(size: 3)
            let gate = Gate()
            let running = Counter()
            let most = Atomic<Int>(0)
            let done = Pause()
            for _ in 0..<20 {
                _ = try pool.submit {
                    running.increment()
                    most.max(running.value, ordering: .sequentiallyConsistent)
                    gate.pass()
                    running.decrement()
                } announce: {
                    done.end()
                }
            }
            gate.waitForArrivals(3)
            #expect(pool.threadCount == 3)
            #expect(pool.queuedCount == 17)
            gate.open()
            for _ in 0..<20 { done.wait() }
            #expect(most.load(ordering: .sequentiallyConsistent) == 3)
            #expect(pool.queuedCount == 0)
        }
    }

    @Test("it has as many threads as asyncio's, unless told otherwise")
    func defaultSize() {
        #expect(ThreadPool.defaultSize == min(32, sysconf(CInt(_SC_NPROCESSORS_ONLN)) + 4))
        #expect(ThreadPool.shared.size == ThreadPool.defaultSize)
        #expect(ThreadPool().size == ThreadPool.defaultSize)
    }

    @Test("threads start on demand, and an idle one is used again")
    func reuse() async throws {
        try await onThread {
            let pool = ThreadPool(size: 8)
            #expect(pool.threadCount == 0)
            let threads = Recorder<UInt>()
            let done = Pause()
            for _ in 0..<100 {
                _ = try pool.submit {
                    threads.add(UInt(pthread_self()))
                } announce: {
                    done.end()
                }
                done.wait()
            }
            #expect(pool.threadCount == 1)
            #expect(Set(threads.all).count == 1)
        }
    }

    @Test("one idle thread is not counted on by two works")
    func idleCountedOnce() async throws {
        try await onThread {
            for _ in 0..<100 {
                let pool = ThreadPool(size: 2)
                let done = Pause()
                _ = try pool.submit({}, announce: { done.end() })
                done.wait()
                // Each needs a thread of its own.
                let gate = Gate()
                for _ in 0..<2 { _ = try pool.submit { gate.pass() } }
                gate.waitForArrivals(2)
                gate.open()
            }
        }
    }

    @Test("idle threads end, and others start for later work")
    func idleThreadsEnd() async throws {
        try await onThread {
            let pool = ThreadPool(size: 4, idleTimeout: .milliseconds(1))
            for _ in 0..<20 {
                let gate = Gate()
                for _ in 0..<4 { _ = try pool.submit { gate.pass() } }
                gate.waitForArrivals(4)
                #expect(pool.threadCount == 4)
                gate.open()
                block { pool.threadCount == 0 }
            }
        }
    }

    @Test("work that comes while its last thread gives up is done")
    func workAtTheIdleTimeout() async throws {
        try await onThread {
            let pool = ThreadPool(size: 1, idleTimeout: .zero)
            let done = Pause()
            for _ in 0..<2000 {
                _ = try pool.submit({}, announce: { done.end() })
                done.wait()
            }
        }
    }

    @Test(
        "threads are called after their pool, with a number that is not cut off",
        arguments: [("crew", "crew-1"), ("a name that is far too long", "a name that i-1"), ("ä", "ä-1")])
    func names(name: String, expected: String) async throws {
        try await onThread {
            let pool = ThreadPool(size: 1, name: name)
            let names = Recorder<String>()
            let done = Pause()
            _ = try pool.submit({ names.add(threadName()) }, announce: { done.end() })
            done.wait()
            #expect(names.all == [expected])
        }
    }

    @Test("its threads block the signals that are sent, and not those of their own faults")
    func signalsBlocked() async throws {
        try await onThread {
            let masks = Recorder<[CInt: Bool]>()
            let pool = ThreadPool(size: 1)
            let done = Pause()
            let numbers = [
                SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGUSR1, SIGALRM, SIGSEGV, SIGBUS, SIGILL, SIGFPE,
            ]
            _ = try pool.submit {
                var mask = sigset_t()
                pthread_sigmask(SIG_BLOCK, nil, &mask)
                masks.add(Dictionary(uniqueKeysWithValues: numbers.map { ($0, sigismember(&mask, $0) == 1) }))
            } announce: {
                done.end()
            }
            done.wait()
            let mask = try #require(masks.all.first)
            for number in numbers {
                #expect(
                    mask[number] == ![SIGSEGV, SIGBUS, SIGILL, SIGFPE].contains(number), "signal \(number)")
            }
        }
    }

    // MARK: - Order

    @Test("work is begun in the order in which it came")
    func order() async throws {
        try await onThread {
            let pool = ThreadPool(size: 1)
            let order = Recorder<Int>()
            let done = Pause()
            for number in 0..<1000 {
                _ = try pool.submit({ order.add(number) }, announce: { if number == 999 { done.end() } })
            }
            done.wait()
            #expect(order.all == (0..<1000).map { $0 })
        }
    }

    @Test("work that is withdrawn is not done, is released at once, and leaves the order of the rest")
    func withdrawn() async throws {
        try await onThread {
            let pool = ThreadPool(size: 1)
            let gate = Gate()
            let order = Recorder<Int>()
            let gone = Recorder<Int>()
            let done = Pause()
            let first = try pool.submit { gate.pass() }
            gate.waitForArrivals(1)
            let tickets = try (0..<10).map { number in
                let canary = Canary { gone.add(number) }
                return try pool.submit {
                    withExtendedLifetime(canary) { order.add(number) }
                } announce: {
                    if number == 9 { done.end() }
                }
            }
            #expect(!pool.withdraw(first), "it is under way")
            for number in [0, 3, 4, 8] {
                #expect(pool.withdraw(tickets[number]))
                #expect(!pool.withdraw(tickets[number]), "once")
            }
            #expect(gone.all == [0, 3, 4, 8])
            #expect(pool.queuedCount == 6)
            gate.open()
            done.wait()
            #expect(order.all == [1, 2, 5, 6, 7, 9])
            #expect(!pool.withdraw(tickets[9]), "it is done")
        }
    }

    @Test("from many threads, each work is either done once or withdrawn")
    func stress() async throws {
        let pool = ThreadPool(size: 3, idleTimeout: .microseconds(10))
        let done = Recorder<Int>()
        let withdrawn = Recorder<Int>()
        let submitters = (0..<4).map { submitter in
            Thread {
                var generator = SeededGenerator(seed: UInt64(submitter))
                for number in submitter * 1000..<(submitter + 1) * 1000 {
                    let ticket = try pool.submit { done.add(number) }
                    if Bool.random(using: &generator), pool.withdraw(ticket) { withdrawn.add(number) }
                }
            }
        }
        for submitter in submitters { try await submitter.value }
        pool.shutdown()
        try await onThread { pool.join() }
        #expect((done.all + withdrawn.all).sorted() == (0..<4000).map { $0 })
    }

    // MARK: - Threads that cannot be started

    @Test("without a thread, work is refused with the system's error, and nothing is left")
    func noThreadAtAll() async throws {
        try await onThread {
            let failing = Atomic<Bool>(true)
            let pool = ThreadPool(size: 4, name: "pool", idleTimeout: .seconds(10)) { name, body in
                failing.load(ordering: .relaxed) ? EAGAIN : startThread(named: name, body)
            }
            let gone = Counter()
            for number in 1...3 {
                #expect(throws: SystemError(call: "pthread_create", code: EAGAIN)) {
                    let canary = Canary { gone.increment() }
                    _ = try pool.submit { withExtendedLifetime(canary) {} }
                }
                #expect(gone.value == number)
            }
            #expect(pool.queuedCount == 0 && pool.threadCount == 0)
            failing.store(false, ordering: .relaxed)
            let done = Pause()
            _ = try pool.submit({}, announce: { done.end() })
            done.wait()
        }
    }

    @Test("with one thread and no more to be had, work waits for that one")
    func oneThreadOnly() async throws {
        try await onThread {
            let started = Counter()
            let pool = ThreadPool(size: 4, name: "pool", idleTimeout: .seconds(10)) { name, body in
                started.increment()
                return started.value > 1 ? EAGAIN : startThread(named: name, body)
            }
            let gate = Gate()
            let order = Recorder<Int>()
            let done = Pause()
            _ = try pool.submit { gate.pass() }
            gate.waitForArrivals(1)
            for number in 0..<5 { _ = try pool.submit({ order.add(number) }, announce: { done.end() }) }
            #expect(pool.threadCount == 1 && pool.queuedCount == 5)
            gate.open()
            for _ in 0..<5 { done.wait() }
            #expect(order.all == [0, 1, 2, 3, 4])
        }
    }

    // MARK: - The end

    @Test("after shutdown, what was taken is done, the threads end, and more is refused")
    func shutdown() async throws {
        let pool = ThreadPool(size: 2, name: "shutdown")
        let gate = Gate()
        let done = Counter()
        for _ in 0..<10 {
            _ = try pool.submit {
                gate.pass()
                done.increment()
            }
        }
        pool.shutdown()
        pool.shutdown()
        #expect(throws: ThreadPoolShutDown.self) { _ = try pool.submit {} }
        let joiners = (0..<3).map { _ in
            Thread {
                pool.join()
                return done.value
            }
        }
        gate.open()
        for joiner in joiners {
            let count = try await joiner.value
            #expect(count == 10)
        }
        #expect(pool.threadCount == 0)
    }

    @Test("a pool without threads ends with its shutdown")
    func shutdownWithoutThreads() async throws {
        try await onThread {
            let pool = ThreadPool()
            pool.shutdown()
            pool.join()
        }
    }

    @Test("threads that are idle when the pool is shut down do not wait for their timeout")
    func shutdownOfIdleThreads() async throws {
        try await onThread {
            let pool = ThreadPool(size: 4, idleTimeout: .seconds(3600))
            let gate = Gate()
            for _ in 0..<4 { _ = try pool.submit { gate.pass() } }
            gate.waitForArrivals(4)
            gate.open()
            pool.shutdown()
            pool.join()
        }
    }

    @Test("a pool that nobody holds any more does its work, and leaves no thread")
    func droppedPool() async throws {
        try await onThread {
            let gate = Gate()
            let done = Counter()
            do {
                let pool = ThreadPool(size: 2, name: "dropped", idleTimeout: .seconds(3600))
                for _ in 0..<5 {
                    _ = try pool.submit {
                        gate.pass()
                        done.increment()
                    }
                }
                gate.waitForArrivals(2)
            }
            #expect(threadCount(named: "dropped-") == 2)
            gate.open()
            block { threadCount(named: "dropped-") == 0 }
            #expect(done.value == 5)
        }
    }

    // MARK: - Misuse

    @Test("join by the pool's own work traps with a sentence")
    func joinInside() async throws {
        let result = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let pool = ThreadPool(size: 1)
            _ = try pool.submit { pool.join() }
            pool.shutdown()
            pool.join()
        }
        #expect(result.sentence.contains("join() was called by the pool's own work"))
    }

    @Test("shutting the shared pool down traps with a sentence")
    func shutdownOfTheSharedPool() async throws {
        let result = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            ThreadPool.shared.shutdown()
        }
        #expect(result.sentence.contains("ThreadPool.shared belongs to the whole process"))
    }

    @Test("a pool without a single thread traps with a sentence")
    func sizeZero() async throws {
        let result = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = ThreadPool(size: 0)
        }
        #expect(result.sentence.contains("A ThreadPool needs at least one thread"))
    }
}
