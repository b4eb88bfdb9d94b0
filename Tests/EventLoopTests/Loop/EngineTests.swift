import Glibc
import TestSupport
import Testing

@testable import EventLoop

@Suite("A turn", .timeLimit(.minutes(5)))
struct EngineTests {
    @Test("in a turn come: what was ready, then descriptors, then timers, then what other threads left")
    func order() async throws {
        try await onLoop { loop in
            let order = Recorder<String>()
            let pipe = WatchedPipe(engine: loop.engine) {
                loop.callSoon { order.add("descriptor") }
            }
            loop.callSoon {
                loop.callSoonThreadSafe { order.add("thread-safe") }
                loop.callAt(loop.now) { order.add("timer") }
                pipe.write()
                loop.callSoon { order.add("ready") }
            }
            await turns(3)
            #expect(order.all == ["ready", "descriptor", "timer", "thread-safe"])
            pipe.close()
        }
    }

    @Test("calls that reschedule themselves starve neither timers nor descriptors nor other threads")
    func noStarvation() async throws {
        try await onLoop { loop in
            var arrived: Set<String> = []
            let pipe = WatchedPipe(engine: loop.engine) { arrived.insert("descriptor") }
            var isOver = false
            // Two of them, and they go on until everything else has come; or until the time limit.
            func reschedule() {
                if !isOver { loop.callSoon(reschedule) }
            }
            reschedule()
            reschedule()
            loop.callLater(.milliseconds(1)) { arrived.insert("timer") }
            pipe.write()
            nonisolated(unsafe) let end = { _ = arrived.insert("other thread") }
            try await onThread { loop.callSoonThreadSafe { end() } }
            try await sleep(for: .milliseconds(1))
            while arrived.count < 3 { await yield() }
            isOver = true
            #expect(arrived == ["timer", "descriptor", "other thread"])
            await turns(1)
            pipe.close()
        }
    }

    @Test("tasks that yield forever starve neither timers nor the cancellation from another thread")
    func yieldingTasks() async throws {
        try await onLoop { _ in
            let task = spawn { while !Task.isCancelled { await yield() } }
            try await sleep(for: .milliseconds(1))
            try await onThread { task.cancel() }
            try await task.value
        }
    }

    @Test("a zero-delay timer that restarts itself does not starve descriptors")
    func timersDoNotStarve() async throws {
        try await onLoop { loop in
            var isOver = false
            let pipe = WatchedPipe(engine: loop.engine) { isOver = true }
            func restart() {
                if !isOver { loop.callLater(.zero, restart) }
            }
            restart()
            pipe.write()
            while !isOver { await yield() }
            await turns(3)
            pipe.close()
        }
    }

    @Test("a task whose loop has gone to sleep is woken from another thread, every time")
    func wakeups() async throws {
        try await onLoop { loop in
            for _ in 0..<2000 {
                await withCheckedContinuation { continuation in
                    Task.detached { continuation.resume() }
                }
                #expect(loop.isOnLoopThread)
            }
        }
    }

    @Test("a closed loop does not run any more")
    func closed() async throws {
        let loop = try EventLoop()
        loop.engine.close()
        #expect(throws: EventLoopError.closed) { try loop.run() }
        #expect(throws: EventLoopError.closed) { try loop.runBody {} }
    }

    @Test("the default error handler writes a line to standard error")
    func defaultErrorHandler() async throws {
        let result = try await #require(
            processExitsWith: .success, observing: [\.standardErrorContent]
        ) {
            try EventLoop().runBody {
                spawn(name: "lost") { throw TestError("lost") }
                await turns(3)
            }
        }
        #expect(
            result.sentence.contains(
                "EventLoop: Nobody looked at the error of task lost, spawned at EventLoopTests/"))
    }
}

/// A pipe whose reading end is watched by the loop itself.
private final class WatchedPipe: DescriptorObserver {
    private let engine: Engine
    private let notice: () -> Void
    private var ends: (CInt, CInt) = (-1, -1)
    private var token: UInt64 = 0

    init(engine: Engine, _ notice: @escaping () -> Void) {
        self.engine = engine
        self.notice = notice
        withUnsafeMutableBytes(of: &ends) { _ = pipe($0.bindMemory(to: CInt.self).baseAddress!) }
        token = engine.observers.insert(self)
        try! engine.reactor.watch(ends.0, token: token)
    }

    func write() {
        _ = Glibc.write(ends.1, [1] as [UInt8], 1)
    }

    func descriptorIsReady(_ readiness: Reactor.Readiness) {
        if readiness.contains(.read) { notice() }
    }

    var fileDescriptor: CInt { ends.0 }

    func loopIsClosing() {}

    func close() {
        engine.reactor.unwatch(ends.0)
        engine.observers.remove(token)
        _ = Glibc.close(ends.0)
        _ = Glibc.close(ends.1)
    }
}
