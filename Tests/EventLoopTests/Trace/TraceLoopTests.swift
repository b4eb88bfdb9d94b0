import Glibc
import TestSupport
import Testing

@testable import EventLoop

@Suite("Trace of a loop", .timeLimit(.minutes(5)))
struct TraceLoopTests {
    @Test("idle time, timers and calls are there, and calls with the place that scheduled them")
    func loop() throws {
        let trace = try traced {
            EventLoop.current.callLater(.seconds(1), line: 7) {}
            try await sleep(for: .seconds(3))
        }
        let loop = try #require(trace.loops.first)
        #expect(trace.loops.count == 1)
        #expect(loop.name == "main")
        #expect(
            loop.idle.map { [$0.start.milliseconds, $0.end.milliseconds] } == [[0, 1000], [1000, 3000]])
        #expect(loop.timers.map(\.time.milliseconds) == [1000, 3000])
        #expect(loop.steps.map(\.name) == ["main", "call", "main"])
        #expect(loop.steps[1].taskID == nil)
        #expect(loop.steps[1].fileID == "EventLoopTests/TraceLoopTests.swift")
        #expect(loop.steps[1].line == 7)
        #expect(loop.steps[1].start.milliseconds == 1000)
        #expect(loop.turns.allSatisfy { $0.start <= $0.end })
        #expect(loop.turns.contains { $0.events == 1 && $0.ready == 1 })
        #expect(loop.posts.isEmpty, "what a loop's own thread leaves is no post")
    }

    @Test("a post leads from the thread that made it to the step that it caused")
    func posts() async throws {
        let trace = Trace()
        let loop = try EventLoop()
        loop.record(into: trace, name: "receiver")
        try await onThread {
            try loop.runBody {
                let promise = Promise<Int>()
                try await onThread {
                    loop.callSoonThreadSafe { promise.succeed(1) }
                }
                _ = try await promise.future.value
            }
        }
        let traced = try #require(trace.loops.first)
        let caller = try #require(traced.steps.firstIndex { $0.name == "call from another thread" })
        let post = try #require(traced.posts.first { $0.began == traced.steps[caller].start })
        #expect(post.thread.hasPrefix("thread "))
        #expect(post.posted <= post.taken)
        #expect(post.taken <= traced.steps[caller].start)
        #expect(post.taskID == nil)
    }

    @Test("several loops on several threads record into one trace, and know each other's threads")
    func twoLoops() async throws {
        let trace = Trace()
        let first = try EventLoop()
        let second = try EventLoop()
        first.record(into: trace)
        second.record(into: trace)
        second.spawn(name: "resident") { try? await sleep(until: .never) }
        let thread = Thread { try second.run() }
        try await onThread {
            try first.runBody {
                second.callSoonThreadSafe { second.stop() }
            }
        }
        try await thread.value
        try second.close()
        #expect(trace.loops.map(\.name) == ["main", "loop 2"])
        #expect(trace.tasks.map(\.name) == ["main", "resident"])
        #expect(trace.tasks.map(\.loop) == ["main", "loop 2"])
        #expect(Set(trace.tasks.map(\.id)).count == 2)
        #expect(trace.loops[1].posts.contains { $0.thread == "loop main" && $0.began != nil })
    }

    @Test("a descriptor's readiness is there, and who waited for it")
    func descriptors() throws {
        let trace = Trace()
        let loop = try EventLoop()
        loop.record(into: trace)
        var number: CInt = -1
        try loop.runBody {
            let listener = try await TCPListener.listen(host: "127.0.0.1", port: 0)
            let client = spawn(name: "client") { try await TCPStream.connect(to: listener.localAddress) }
            for try await stream in listener {
                stream.close()
                break
            }
            try await client.value.close()
            listener.close()
        }
        let events = trace.loops[0].descriptorEvents
        #expect(events.contains { $0.readiness.contains("read") })
        number = try #require(events.first).descriptor
        #expect(number >= 0)
        let reasons = trace.tasks.flatMap(\.spans).map(\.words)
        #expect(reasons.contains { $0.hasPrefix("descriptor ") })
    }

    @Test("blocking code is measured at the same scale, on a row of its own, whatever it throws")
    func lanes() throws {
        let trace = Trace()
        let value = trace.record("first", on: "blocking") { 42 }
        #expect(value == 42)
        #expect(throws: TestError("no")) {
            try trace.record("second", on: "blocking") { throw TestError("no") }
        }
        trace.record("third", on: "elsewhere") {}
        #expect(trace.lanes.map(\.name) == ["blocking", "elsewhere"])
        #expect(trace.lanes[0].spans.map(\.name) == ["first", "second"])
        #expect(trace.lanes[0].spans.allSatisfy { $0.start <= $0.end })
        let loop = try EventLoop()
        loop.record(into: trace)
        try loop.runBody { await yield() }
        #expect(trace.lanes[1].spans[0].end <= trace.tasks[0].spawned)
        trace.stop()
        trace.record("too late") {}
        #expect(trace.lanes.count == 2)
    }

    @Test("on a loop whose time is virtual, blocking code takes no time")
    func virtualLane() throws {
        let trace = Trace()
        let loop = try EventLoop(clock: .virtual)
        loop.record(into: trace)
        try loop.runBody {
            try await sleep(for: .seconds(1))
            trace.record("work") {}
        }
        #expect(trace.lanes[0].spans[0].start.milliseconds == 1000)
        #expect(trace.lanes[0].spans[0].duration == .zero)
    }

    @Test("a stopped trace grows no more, lets go of the loop, and the loop is observed no more")
    func stop() throws {
        let trace = Trace()
        let loop = try EventLoop(clock: .virtual)
        loop.record(into: trace)
        try loop.runBody {
            try await sleep(for: .seconds(1))
            trace.stop()
            spawn(name: "unseen") {}
            try await sleep(for: .seconds(1))
        }
        trace.stop()
        #expect(trace.tasks.map(\.name) == ["main"])
        #expect(try trace.task("main").words == ["runs 0", "a timer 0-1000", "runs 1000"])
        #expect(try trace.task("main").ended == nil)
        #expect(loop.engine.observer == nil)
        #expect(loop.engine.originsWanted.load(ordering: .relaxed) == 0)
    }

    @Test("stopping from another thread ends the recording at once")
    func stopElsewhere() async throws {
        try await onLoop { loop in
            try await onThread { while !loop.engine.isRunning {} }
            let trace = loop.startTrace()
            await turns(2)
            try await onThread { trace.stop() }
            spawn(name: "unseen") {}
            await turns(3)
            #expect(!trace.tasks.contains { $0.name == "unseen" })
            #expect(loop.engine.observer == nil)
        }
    }

    @Test("another thread may stop a trace while its loop begins to run, or does not run at all")
    func stopAtTheBeginning() async throws {
        for round in 0..<50 {
            let trace = Trace()
            let loop = try EventLoop()
            loop.record(into: trace)
            let stopper = Thread {
                for _ in 0..<round { sched_yield() }
                trace.stop()
            }
            if round % 10 != 0 { try await onThread { try loop.runBody { await turns(round) } } }
            try await stopper.value
            try loop.runUntilAllTasksBlocked()
            #expect(loop.engine.observer == nil)
            for task in trace.tasks { #expect(task.spans.allSatisfy { $0.start <= $0.end }) }
        }
    }

    @Test("a loop that goes leaves its trace, and the trace does not hold the loop")
    func life() throws {
        let trace = Trace()
        weak var engine: Engine?
        do {
            let loop = try EventLoop(clock: .virtual)
            engine = loop.engine
            loop.record(into: trace)
            try loop.runBody { try await sleep(for: .seconds(1)) }
        }
        #expect(engine == nil)
        #expect(try trace.task("main").words == ["runs 0", "a timer 0-1000", "runs 1000"])
        trace.stop()
    }

    @Test("two traces of one loop see the same")
    func twoTraces() throws {
        let (first, second) = (Trace(), Trace())
        let loop = try EventLoop(clock: .virtual)
        loop.record(into: first)
        loop.record(into: second)
        try loop.runBody {
            try await sleep(for: .seconds(1))
            first.stop()
            try await sleep(for: .seconds(1))
        }
        #expect(try first.task("main").words == ["runs 0", "a timer 0-1000", "runs 1000"])
        #expect(try second.task("main").words.count == 5)
        second.stop()
        // What is to be done on the loop's thread, its next run does.
        try loop.runUntilAllTasksBlocked()
        #expect(loop.engine.observer == nil)
    }
}
