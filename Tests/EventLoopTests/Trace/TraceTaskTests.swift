import TestSupport
import Testing

@testable import EventLoop

@Suite("Trace of tasks", .timeLimit(.minutes(5)))
struct TraceTaskTests {
    @Test("what tasks do is there to the nanosecond: steps, waits with their reasons, ends")
    func spans() throws {
        let trace = try traced {
            let first = spawn(name: "A", line: 7) {
                try await sleep(for: .seconds(2))
                try await sleep(for: .seconds(1))
            }
            spawn(name: "B") { await yield() }
            try await first.value
        }
        #expect(trace.tasks.map(\.name) == ["main", "A", "B"])
        let main = try trace.task("main")
        #expect(main.words == ["runs 0", "a task 0-3000", "runs 3000"])
        #expect(main.parentID == nil)
        #expect(main.loop == "main")
        let first = try trace.task("A")
        #expect(first.words == ["runs 0", "a timer 0-2000", "runs 2000", "a timer 2000-3000", "runs 3000"])
        #expect(first.parentID == main.id)
        #expect(first.spawned.nanoseconds == 0)
        #expect(first.began?.nanoseconds == 0)
        #expect(first.ended?.nanoseconds == 3_000_000_000)
        #expect(first.fileID == "EventLoopTests/TraceTaskTests.swift")
        #expect(first.line == 7)
        // A task that yields is ready at once, which takes no virtual time.
        #expect(try trace.task("B").words == ["runs 0", "runs 0"])
        #expect(trace.droppedEvents == 0)
    }

    @Test("children of gather have rows while a loop is observed, and their parent waits for them")
    func gathered() throws {
        let trace = try traced {
            try await gather({ try await sleep(for: .seconds(1)) }, { try await sleep(for: .seconds(3)) })
            await gatherResults({ try await sleep(for: .seconds(1)) })
            try await gather([1, 2]) { (seconds: Int) in try await sleep(for: .seconds(seconds)) }
            await gatherResults([1, 1, 1], limit: 2) { (seconds: Int) in
                try await sleep(for: .seconds(seconds))
            }
        }
        #expect(
            trace.tasks.map(\.name) == [
                "main", "gather[0]", "gather[1]", "gather[0]", "gather[0]", "gather[1]", "gather, lane 0",
                "gather, lane 1",
            ])
        #expect(
            trace.tasks[0].words == [
                "runs 0", "its child tasks 0-3000", "runs 3000", "its child tasks 3000-4000", "runs 4000",
                "its child tasks 4000-6000", "runs 6000", "its child tasks 6000-8000", "runs 8000",
            ])
        #expect(trace.tasks.dropFirst().allSatisfy { $0.parentID == trace.tasks[0].id })
        #expect(trace.tasks[2].words == ["runs 0", "a timer 0-3000", "runs 3000"])
        #expect(
            trace.tasks[6].words == [
                "runs 6000", "a timer 6000-7000", "runs 7000", "a timer 7000-8000", "runs 8000",
            ])
        #expect(trace.tasks.allSatisfy { $0.ended != nil })
    }

    @Test("so have operations that race, and those whose values are wanted as they come")
    func racing() throws {
        let trace = try traced {
            try await race([2, 1]) { (seconds: Int) in try await sleep(for: .seconds(seconds)) }
            try await firstSuccess([1]) { (seconds: Int) in try await sleep(for: .seconds(seconds)) }
            try await asCompleted([1, 1, 1], limit: 2) { (seconds: Int) in
                try await sleep(for: .seconds(seconds))
            } each: { _, _ in
            }
            try await resultsAsCompleted([1]) { (seconds: Int) in
                try await sleep(for: .seconds(seconds))
            } each: { _, _ in
            }
        }
        #expect(
            trace.tasks.map(\.name) == [
                "main", "race[0]", "race[1]", "firstSuccess[0]", "asCompleted[0]", "asCompleted[1]",
                "asCompleted[2]", "resultsAsCompleted[0]",
            ])
        #expect(trace.tasks[1].words == ["runs 0", "a timer 0-1000", "runs 1000"])
        #expect(trace.tasks[6].words == ["runs 3000", "a timer 3000-4000", "runs 4000"])
        #expect(trace.tasks.dropFirst().allSatisfy { $0.parentID == trace.tasks[0].id })
        #expect(trace.tasks.allSatisfy { $0.ended != nil })
    }

    @Test("bodies of timeouts and scopes, and tasks that start at once, run within their parent's step")
    func nested() throws {
        let trace = try traced {
            try await withTimeout(.seconds(5)) { try await sleep(for: .seconds(1)) }
            try await withTaskScope { scope -> Void in
                scope.spawn(name: "in the scope") { try await sleep(for: .seconds(1)) }
            }
            let eager = spawn(name: "eager", eager: true) { try await sleep(for: .seconds(1)) }
            try await eager.value
        }
        #expect(
            trace.tasks.map(\.name) == [
                "main", "withTimeout", "withTaskScope", "in the scope", "eager",
            ])
        #expect(
            trace.tasks[0].words == [
                "runs 0", "its child tasks 0-1000", "runs 1000", "the tasks of its scope 1000-2000",
                "runs 2000", "a task 2000-3000", "runs 3000",
            ])
        #expect(try trace.task("eager").words == ["runs 2000", "a timer 2000-3000", "runs 3000"])
        let steps = trace.loops[0].steps.map(\.name)
        #expect(steps.prefix(2) == ["main", "withTimeout"])
    }

    @Test("each wait has its reason")
    func reasons() throws {
        let trace = try traced {
            let lock = Lock()
            let event = Event()
            let promise = Promise<Int>()
            let tasks = [
                spawn(name: "holder") {
                    try await lock.withLock { try await sleep(for: .seconds(1)) }
                    promise.succeed(1)
                },
                spawn(name: "locker") {
                    try await lock.withLock {}
                    event.set()
                },
                spawn(name: "listener") { try await event.wait() },
                spawn(name: "reader") { _ = try await promise.future.value },
            ]
            for task in tasks { try await task.value }
        }
        #expect(try trace.task("holder").words == ["runs 0", "a timer 0-1000", "runs 1000"])
        #expect(try trace.task("locker").words == ["runs 0", "a lock 0-1000", "runs 1000"])
        #expect(try trace.task("listener").words == ["runs 0", "an event 0-1000", "runs 1000"])
        #expect(try trace.task("reader").words == ["runs 0", "a future 0-1000", "runs 1000"])
    }

    @Test("a task that is ready waits for its turn, and says who has put it into the queue")
    func ready() async throws {
        let trace = Trace()
        let loop = try EventLoop(clock: .manual)
        loop.record(into: trace)
        try loop.runBody {
            let event = Event()
            let listener = spawn(name: "listener") { try await event.wait() }
            let sleeper = spawn(name: "sleeper") { try await sleep(for: .seconds(1)) }
            try await waitAllTasksBlocked()
            event.set()
            try await EventLoop.current.advance(by: .seconds(1))
            try await listener.value
            try await sleeper.value
        }
        let events = trace.state.withLock { $0.recorders[0].log.snapshot.events }
        let causes = events.compactMap { event -> String? in
            guard case .ready(let cause) = event.what else { return nil }
            return "\(event.row) by \(cause)"
        }
        #expect(causes.contains("2 by task(1)"))
        #expect(causes.contains("3 by timer(lateness: 0)"))
    }

    @Test("what is under way when the trace is read goes on to its end")
    func open() throws {
        let trace = Trace()
        let loop = try EventLoop(clock: .virtual)
        loop.record(into: trace)
        loop.spawn(name: "never") {
            try? await sleep(until: .never)
        }
        try loop.runBody {
            try await sleep(for: .seconds(1))
            let never = try trace.task("never")
            #expect(never.words == ["runs 0", "a timer 0-1000"])
            #expect(never.ended == nil)
            try await sleep(for: .seconds(1))
        }
        trace.stop()
        #expect(try trace.task("never").words == ["runs 0", "a timer 0-2000"])
        try loop.close()
        #expect(try trace.task("never").ended == nil, "the trace was stopped before")
    }

    @Test("a trace that begins in the middle knows the tasks that wait and the one that runs")
    func middle() throws {
        let loop = try EventLoop(clock: .virtual)
        let trace = try loop.runBody {
            let sleeper = spawn(name: "sleeper") { try await sleep(for: .seconds(3)) }
            let parent = spawn(name: "parent") {
                try await gather({ try await sleep(for: .seconds(2)) })
                try await withTimeout(.seconds(9)) { try await sleep(for: .seconds(2)) }
            }
            try await sleep(for: .seconds(1))
            let trace = EventLoop.current.startTrace(name: "late")
            try await sleep(for: .milliseconds(500))
            try await sleeper.value
            try await parent.value
            trace.stop()
            return trace
        }
        #expect(
            try trace.task("main").words == [
                "runs 1000", "a timer 1000-1500", "runs 1500", "a task 1500-3000", "runs 3000",
                "a task 3000-4000",
                "runs 4000",
            ])
        #expect(try trace.task("sleeper").words == ["a timer 1000-3000", "runs 3000"])
        #expect(
            try trace.task("withTimeout").words == ["runs 2000", "a timer 2000-4000", "runs 4000"])
        #expect(try trace.task("main").loop == "late")
        expectNothingLeft(on: loop)
    }
}
