import Glibc
import TestSupport
import Testing

@testable import EventLoop

/// Whom a virtual clock waits for before it leaps.
@Suite("virtual clock and others", .timeLimit(.minutes(5)))
struct VirtualClockOthersTests {
    private func seconds(_ count: Int) -> EventLoop.Instant {
        EventLoop.Instant(nanoseconds: UInt64(count) * 1_000_000_000)
    }

    /// Runs the body on a thread of its own: the runtime's are needed to start others.
    private func run(
        on clock: EventLoop.ClockKind, _ body: @escaping @Sendable (EventLoop) async throws -> Void
    ) async throws -> EventLoop {
        try await onThread {
            let loop = try EventLoop(clock: clock)
            try loop.runBody { try await body(loop) }
            return loop
        }
    }

    @Test("time stands while a thread works for a task")
    func offloads() async throws {
        let order = Recorder<String>()
        let loop = try await run(on: .virtual) { loop in
            try await gather(
                {
                    try await sleep(for: .seconds(3600))
                    order.add("slept")
                },
                {
                    let promise = Promise<Void>()
                    loop.engine.offloadsUnderWay += 1
                    defer { loop.engine.offloadsUnderWay -= 1 }
                    let thread = Thread {
                        // Long enough for a clock that does not stand to leap.
                        usleep(20_000)
                        loop.callSoonThreadSafe { promise.succeed() }
                    }
                    try await promise.future.value
                    order.add("worked at \(loop.now)")
                    try await thread.value
                })
        }
        #expect(order.all == ["worked at 0.0 s", "slept"])
        #expect(loop.now == seconds(3600))
    }

    @Test("what another thread has left is done before time leaps")
    func posts() throws {
        let loop = try EventLoop(clock: .virtual)
        let order = Recorder<String>()
        loop.callLater(.seconds(1)) { order.add("leapt") }
        // As if from another thread, and while the loop looks for nothing else to do.
        loop.callSoonThreadSafe { order.add("first") }
        loop.callSoonThreadSafe { loop.callSoonThreadSafe { order.add("second") } }
        try loop.run(for: .seconds(1))
        #expect(order.all == ["first", "second", "leapt"])
    }

    @Test("what was written to a socket arrives before time leaps", arguments: [nil, 1, 2, 3] as [UInt64?])
    func sockets(seed: UInt64?) throws {
        let loop = try EventLoop(clock: .virtual, seed: seed)
        try loop.runBody {
            let loop = EventLoop.current
            let (one, other) = try streamPair()
            let started = loop.now
            try await gather(
                {
                    for _ in 0..<100 {
                        #expect(try await other.read(upTo: 10) == [1])
                        try await other.write([2])
                    }
                },
                {
                    for _ in 0..<100 {
                        try await one.write([1])
                        #expect(try await one.read(upTo: 10) == [2])
                    }
                    #expect(loop.now == started, "no sleep was over meanwhile")
                },
                { try await sleep(for: .nanoseconds(1)) },
                { try await sleep(for: .seconds(10)) })
            one.close()
            other.close()
        }
        expectNothingLeft(on: loop)
    }

    @Test("with patience, a server on another thread answers before the deadline")
    func patience() async throws {
        let loop = try await run(on: .virtual(patience: .seconds(60))) { loop in
            let (stream, peer) = try streamAndSocket()
            let server = Thread {
                var byte: UInt8 = 0
                _ = read(peer, &byte, 1)
                // Long enough for an impatient clock to leap.
                usleep(20_000)
                _ = write(peer, &byte, 1)
                close(peer)
            }
            let deadline = loop.callLater(.seconds(1)) { Issue.record("the deadline came first") }
            try await stream.write([7])
            #expect(try await stream.read(upTo: 1) == [7])
            #expect(try await stream.read(upTo: 1) == [])
            #expect(loop.now == EventLoop.Instant(nanoseconds: 0))
            deadline.cancel()
            stream.close()
            try await server.value
        }
        expectNothingLeft(on: loop)
    }

    @Test("when nobody answers, patience ends")
    func noAnswer() throws {
        let loop = try EventLoop(clock: .virtual(patience: .milliseconds(1)))
        try loop.runBody {
            let (stream, peer) = try streamAndSocket()
            let reader = spawn { try await stream.read(upTo: 1) }
            let before = EventLoop.Instant.realNow
            try await sleep(for: .seconds(3600))
            #expect(before.duration(to: .realNow) >= .milliseconds(1))
            #expect(!reader.isDone)
            reader.cancel()
            _ = await reader.result
            stream.close()
            close(peer)
        }
        #expect(loop.now == seconds(3600))
        expectNothingLeft(on: loop)
    }

    @Test("signal handlers do not shorten patience")
    func signalsAndPatience() async throws {
        // In a process of its own: what a signal does is the same for all threads, and so for all tests.
        await #expect(processExitsWith: .success) {
            let reactor = try Reactor(isManual: true)
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { _ in }
            sigaction(SIGUSR2, &action, nil)
            // The runtime's threads block all signals, and what they start does, too.
            var signal = sigset_t()
            sigemptyset(&signal)
            sigaddset(&signal, SIGUSR2)
            pthread_sigmask(SIG_UNBLOCK, &signal, nil)
            let waiting = pthread_self()
            let (signals, isOver, hasEnded) = (Counter(), Counter(), Counter())
            let result = startThread {
                while isOver.value == 0 {
                    pthread_kill(waiting, SIGUSR2)
                    signals.increment()
                    usleep(500)
                }
                hasEnded.increment()
            }
            #expect(result == 0)
            block(until: { signals.value > 0 })
            let before = EventLoop.Instant.realNow
            #expect(reactor.wait(atMost: .milliseconds(20)) == 0)
            #expect(before.duration(to: .realNow) >= .milliseconds(20))
            isOver.increment()
            block(until: { hasEnded.value == 1 })
        }
    }

    @Test("patience is not less than nothing")
    func negativePatience() {
        #expect(EventLoop.ClockKind.virtual(patience: .seconds(-1)) == .virtual)
        #expect(EventLoop.ClockKind.virtual(patience: .seconds(1)) != .virtual)
    }

    // MARK: - All tasks blocked

    @Test("all who wait for the others to be blocked go on before time does")
    func quietBeforeTime() throws {
        let loop = try EventLoop(clock: .virtual)
        let order = Recorder<String>()
        try loop.runBody {
            try await gather(
                {
                    try await sleep(for: .nanoseconds(1))
                    order.add("time")
                },
                {
                    try await waitAllTasksBlocked()
                    order.add("one")
                    try await waitAllTasksBlocked()
                    order.add("one again")
                },
                {
                    try await waitAllTasksBlocked()
                    order.add("two")
                })
        }
        #expect(order.all == ["one", "two", "one again", "time"])
        expectNothingLeft(on: loop)
    }

    @Test(
        "waiting for the others can be cancelled, and leaves nobody behind",
        arguments: [EventLoop.ClockKind.virtual, .monotonic])
    func quietCancelled(clock: EventLoop.ClockKind) throws {
        try EventLoop(clock: clock).runBody {
            let waiter = spawn { try await waitAllTasksBlocked() }
            let busy = spawn {
                for _ in 0..<10 { await yield() }
            }
            await turns(2)
            waiter.cancel()
            await #expect(throws: CancellationError.self) { try await waiter.value }
            #expect(!busy.isDone)
            #expect(EventLoop.current.engine.quietWaiters.isEmpty)
            #expect(EventLoop.current.engine.state.waitsWithCare == (clock == .virtual))
            try await busy.value
        }
    }
}
