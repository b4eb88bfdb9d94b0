import Glibc
import TestSupport
import Testing

@testable import EventLoop

@Suite("EventLoop on a thread of its own", .timeLimit(.minutes(5)))
struct InstanceModeTests {
    // MARK: - Running

    @Test("run returns what the body returned")
    func returns() async throws {
        let value = try await onThread { try EventLoop().runBody { 42 } }
        #expect(value == 42)
    }

    @Test("run throws what the body threw")
    func throwsError() async throws {
        await #expect(throws: TestError("body")) {
            try await onThread { try EventLoop().runBody { throw TestError("body") } }
        }
    }

    @Test("run in a running loop throws alreadyRunning before anything happens")
    func nested() async throws {
        try await onLoop { loop in
            let ran = Counter()
            #expect(throws: EventLoopError.alreadyRunning) { try loop.run() }
            #expect(throws: EventLoopError.alreadyRunning) { try EventLoop().run() }
            #expect(throws: EventLoopError.alreadyRunning) {
                try EventLoop.run { ran.increment() }
            }
            await turns(3)
            #expect(ran.value == 0)
        }
    }

    @Test("a body that cannot run because a loop runs does not run later either")
    func nestedBody() async throws {
        try await onLoop { loop in
            let ran = Counter()
            #expect(throws: EventLoopError.alreadyRunning) { try loop.runBody { ran.increment() } }
            await turns(3)
            #expect(ran.value == 0)
        }
    }

    @Test("stop from inside ends the run after the turn under way")
    func stopInside() async throws {
        let log = try await onThread {
            let loop = try EventLoop()
            var log: [String] = []
            loop.callSoon {
                loop.stop()
                log.append("stopped")
                loop.callSoon { log.append("next run") }
            }
            loop.callSoon { log.append("same turn") }
            try loop.run()
            log.append("returned")
            loop.callSoon { loop.stop() }
            try loop.run()
            return log
        }
        #expect(log == ["stopped", "same turn", "returned", "next run"])
    }

    @Test("stop before a run makes it return at once, and keeps what was scheduled")
    func stopBefore() async throws {
        let log = try await onThread {
            let loop = try EventLoop()
            var log: [String] = []
            loop.callSoon {
                log.append("call")
                loop.stop()
            }
            loop.stop()
            try loop.run()
            log.append("returned")
            try loop.run()
            return log
        }
        #expect(log == ["returned", "call"])
    }

    @Test("stop from another thread wakes a loop that sleeps")
    func stopElsewhere() async throws {
        for _ in 0..<200 {
            let loop = try EventLoop()
            let thread = Thread { try loop.run() }
            loop.stop()
            try await thread.value
        }
    }

    @Test("stop cancels the body of a run and waits for its end")
    func stopCancelsBody() async throws {
        let log = Recorder<String>()
        await #expect(throws: CancellationError.self) {
            try await onThread {
                let loop = try EventLoop()
                loop.callSoon { loop.stop() }
                try loop.runBody {
                    do { try await sleep(until: .never) } catch {
                        await turns(3)
                        log.add("cleaned up")
                        throw error
                    }
                }
            }
        }
        #expect(log.all == ["cleaned up"])
    }

    @Test("work that is left over goes on in the next run")
    func leftOver() async throws {
        let log = Recorder<String>()
        try await onThread {
            let loop = try EventLoop()
            let task = try loop.runBody {
                spawn {
                    log.add("first run")
                    await turns(5)
                    log.add("later run")
                }
            }
            #expect(!task.isDone)
            try loop.runBody { try await task.value }
            expectNothingLeft(on: loop)
        }
        #expect(log.all == ["first run", "later run"])
    }

    @Test("what is posted before a run is kept, in its order")
    func postedBefore() async throws {
        let log = Recorder<Int>()
        let loop = try EventLoop()
        for number in 0..<100 { loop.callSoonThreadSafe { log.add(number) } }
        try await onThread { for number in 100..<200 { loop.callSoonThreadSafe { log.add(number) } } }
        loop.callSoonThreadSafe { loop.stop() }
        try await onThread { try loop.run() }
        #expect(log.all == (0..<200).map { $0 })
    }

    @Test("a loop may move to another thread between runs")
    func moves() async throws {
        let loop = try EventLoop()
        let threads = Recorder<UInt>()
        let task = try await onThread {
            try loop.runBody {
                spawn {
                    threads.add(UInt(pthread_self()))
                    try await sleep(for: .milliseconds(1))
                    threads.add(UInt(pthread_self()))
                    #expect(loop.isOnLoopThread)
                }
            }
        }
        try await onThread {
            threads.add(UInt(pthread_self()))
            try loop.runBody { try await task.value }
        }
        #expect(threads.all.count == 3)
        #expect(threads.all.last == threads.all[threads.all.count - 2])
    }

    @Test("a loop that two threads run traps with a sentence")
    func twoThreads() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { loop in
                try await onThread { try loop.run() }
            }
        }
        #expect(result.sentence.contains("Another thread runs this event loop already."))
    }

    // MARK: - The current loop

    @Test("there is a current loop inside a loop only")
    func current() async throws {
        #expect(EventLoop.currentIfAny == nil)
        try await onLoop { loop in
            #expect(EventLoop.currentIfAny === loop)
            #expect(EventLoop.current === loop)
            try await onThread { #expect(EventLoop.currentIfAny == nil) }
            #expect(EventLoop.current === loop)
        }
    }

    @Test("EventLoop.current outside a loop traps with a sentence")
    func currentOutside() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            _ = EventLoop.current
        }
        #expect(result.sentence.contains("EventLoop.current was called outside a running event loop"))
    }

    // MARK: - Several loops

    @Test("several loops on several threads exchange messages")
    func severalLoops() async throws {
        let loops = try (0..<4).map { _ in try EventLoop() }
        let threads = loops.map { loop in Thread { try loop.run() } }
        let visits = Recorder<Int>()
        await withCheckedContinuation { pass(0, among: loops, visits, $0) }
        for loop in loops { loop.stop() }
        for thread in threads { try await thread.value }
        #expect(visits.all == (0...4000).map { $0 })
    }

    @Test(
        "callSoonThreadSafe: from eight threads all arrive, each thread's in order, while the loop sleeps in between"
    )
    func threadSafeCalls() async throws {
        try await onLoop { loop in
            let arrived = (0..<8).map { _ in Recorder<Int>() }
            let senders = (0..<8).map { sender in
                Thread {
                    let pause = Pause()
                    for number in 0..<10_000 {
                        loop.callSoonThreadSafe { arrived[sender].add(number) }
                        guard number % 1000 == 999 else { continue }
                        // All that was sent has run then, and the loop has nothing to do but sleep.
                        loop.callSoonThreadSafe { pause.end() }
                        pause.wait()
                    }
                }
            }
            for sender in senders { try await sender.value }
            for numbers in arrived { #expect(numbers.all == (0..<10_000).map { $0 }) }
        }
    }
}

/// Hands a count from loop to loop until it is 4000.
private func pass(
    _ count: Int, among loops: [EventLoop], _ visits: Recorder<Int>,
    _ continuation: CheckedContinuation<Void, Never>
) {
    let loop = loops[count % loops.count]
    loop.callSoonThreadSafe {
        visits.add(loop.isOnLoopThread ? count : -1)
        if count == 4000 {
            continuation.resume()
        } else {
            pass(count + 1, among: loops, visits, continuation)
        }
    }
}

/// Blocks a thread until another says that it may go on; for any number of times.
final class Pause: @unchecked Sendable {
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() {
        sem_init(semaphore, 0, 0)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func wait() {
        while sem_wait(semaphore) != 0 {}
    }

    func end() {
        sem_post(semaphore)
    }
}
