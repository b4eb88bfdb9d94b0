import TestSupport
import Testing

@testable import EventLoop

@Suite("Tasks: eager start, callbacks, handles", .timeLimit(.minutes(5)))
struct TaskHandleTests {
    // MARK: - Eager start

    @Test("an eager task takes its first step at once, and goes on as any other")
    func eager() throws {
        try virtually {
            let log = Recorder<String>()
            let task = spawn(eager: true) {
                log.add("first step")
                await yield()
                log.add("second step")
                return 1
            }
            log.add("spawned")
            #expect(!task.isDone)
            let value = try await task.value
            #expect(value == 1)
            #expect(log.all == ["first step", "spawned", "second step"])
        }
    }

    @Test("one that does not suspend has ended when it is spawned; its error is not lost")
    func eagerAtOnce() throws {
        let reports = Recorder<UnhandledError>()
        try virtually {
            let loop = EventLoop.current
            loop.setErrorHandler { reports.add($0) }
            let task = spawn(eager: true) { 7 }
            let value = try task.resultIfDone?.get()
            #expect(value == 7)
            #expect(loop.allTasks.count == 1)
            spawn(name: "lost", eager: true) { throw TestError("lost") }
            #expect(reports.all.map(\.taskName) == ["lost"])
        }
    }

    @Test("each eager task is its own current task, and its spawner's afterwards")
    func eagerCurrent() throws {
        try virtually {
            let me = try #require(EventLoop.currentTask)
            let inner = spawn(name: "inner", eager: true) {
                let before = EventLoop.currentTask?.name
                await yield()
                return [before, EventLoop.currentTask?.name]
            }
            #expect(EventLoop.currentTask == me)
            let names = try await inner.value
            #expect(names == ["inner", "inner"])
        }
    }

    @Test("an eager task that cancels itself in its first step is cancelled at once")
    func eagerCancelsItself() throws {
        try virtually {
            let task = spawn(eager: true) {
                EventLoop.currentTask!.cancel()
                #expect(Task.isCancelled)
                try await sleep(until: .never)
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(task.handle.cancellationCount == 1)
        }
    }

    @Test("an eager task that somebody else cancels in its first step does not sleep on")
    func eagerCancelledByAnother() throws {
        try virtually {
            let task = spawn(name: "outer", eager: true) {
                let outer = EventLoop.currentTask!
                spawn(eager: true) { outer.cancel() }
                try await sleep(until: .never)
            }
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    @Test("an eager start outside a task of the loop traps with a sentence")
    func eagerElsewhere() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try EventLoop().spawn(eager: true) {}
        }
        #expect(result.sentence.contains("spawn(eager: true) was called outside its event loop's thread"))
    }

    // MARK: - Callbacks

    @Test("callbacks and waiting tasks go on in the turn after the end, in the order in which they came")
    func callbacks() throws {
        try virtually {
            let order = Recorder<String>()
            let gate = Promise<Int>()
            let future = gate.future
            let task = spawn { try await future.value }
            task.addDoneCallback { order.add("a\((try? $0.get()) ?? -1)") }
            let waiter = spawn {
                _ = try await task.value
                order.add("b")
            }
            await turns(2)
            task.addDoneCallback { _ in order.add("c") }
            gate.succeed(1)
            await turns(1)
            #expect(task.isDone && order.count == 0)
            await turns(1)
            #expect(order.all == ["a1", "b", "c"])
            task.addDoneCallback { _ in order.add("d") }
            #expect(order.count == 3)
            await turns(1)
            #expect(order.all == ["a1", "b", "c", "d"])
            try await waiter.value
        }
    }

    @Test("callbacks that add callbacks: those are called in the turn after")
    func callbacksOfCallbacks() throws {
        try virtually {
            let order = Recorder<Int>()
            let promise = Promise<Int>()
            func add(_ depth: Int) {
                promise.future.addDoneCallback { _ in
                    order.add(depth)
                    if depth < 3 { add(depth + 1) }
                }
            }
            add(1)
            promise.succeed(0)
            for depth in 1...3 {
                await turns(1)
                #expect(order.all == Array(1...depth))
            }
        }
    }

    @Test(
        "a callback that was taken back is not called, before the end, after it, and twice",
        arguments: [true, false])
    func removedCallback(isRemovedBefore: Bool) throws {
        try virtually {
            let engine = EventLoop.current.engine
            let promise = Promise<Int>()
            let future = promise.future
            let task = spawn { try await future.value }
            await turns(1)
            let waiters = engine.waiters.count
            let order = Recorder<String>()
            let calls = [
                task.addDoneCallback { _ in order.add("task") },
                future.addDoneCallback { _ in order.add("future") },
            ]
            task.addDoneCallback { _ in order.add("kept") }
            #expect(engine.waiters.count == waiters + 3)
            if isRemovedBefore {
                for call in calls { call.cancel() }
                #expect(engine.waiters.count == waiters + 1)
            }
            promise.succeed(1)
            if !isRemovedBefore {
                calls[1].cancel()
                await turns(1)
                calls[0].cancel()
            }
            for call in calls { call.cancel() }
            await turns(3)
            #expect(order.all == ["kept"])
            #expect(calls.map(\.isCancelled) == [true, true])
        }
    }

    @Test("a task that is told of its own end may add the callback itself")
    func ownCallback() throws {
        try virtually {
            let gate = Promise<LoopTask<Void>>()
            let future = gate.future
            let log = Recorder<String>()
            let task = spawn {
                let me = try await future.value
                me.addDoneCallback { _ in log.add("ended") }
            }
            gate.succeed(task)
            try await task.value
            await turns(1)
            #expect(log.all == ["ended"])
        }
    }

    @Test("a callback has been told of the error; one that was taken back has not", arguments: [true, false])
    func callbackAndError(isRemoved: Bool) throws {
        let reports = Recorder<UnhandledError>()
        try virtually {
            EventLoop.current.setErrorHandler { reports.add($0) }
            do {
                let promise = Promise<Int>()
                let task = spawn { throw TestError("task") }
                let calls = [task.addDoneCallback { _ in }, promise.future.addDoneCallback { _ in }]
                if isRemoved { for call in calls { call.cancel() } }
                promise.fail(TestError("future"))
                await turns(3)
            }
            await turns(1)
        }
        let causes = reports.all.map { "\($0.cause)" }.sorted()
        #expect(causes == (isRemoved ? ["futureFailed", "taskFailed"] : []))
    }

    @Test("an error that a waiter was cancelled before is reported")
    func waiterCancelledBefore() throws {
        let reports = Recorder<UnhandledError>()
        try virtually {
            EventLoop.current.setErrorHandler { reports.add($0) }
            do {
                let promise = Promise<Int>()
                let future = promise.future
                let waiter = spawn { _ = try await future.value }
                await turns(2)
                waiter.cancel()
                _ = await waiter.result
                promise.fail(TestError("lost"))
            }
            await turns(1)
        }
        #expect(reports.all.map(\.cause) == [.futureFailed])
    }

    // MARK: - What runs

    @Test("the current task is the running one, and nil where none of the loop's runs")
    func current() throws {
        #expect(EventLoop.currentTask == nil)
        try virtually {
            let loop = EventLoop.current
            #expect(EventLoop.currentTask?.name == "main")
            let seen = Recorder<TaskHandle?>()
            let task = spawn(name: "worker") { seen.add(EventLoop.currentTask) }
            try await task.value
            #expect(seen.all == [task.handle] && task.name == "worker")
            var inCall: TaskHandle? = task.handle
            loop.callSoon { inCall = EventLoop.currentTask }
            await turns(1)
            #expect(inCall == nil)
        }
    }

    @Test("the body of a timeout or of a scope belongs to the task, also when they are nested")
    func currentInABody() throws {
        try virtually {
            let me = try #require(EventLoop.currentTask)
            try await withTimeout(.seconds(1)) { () in
                #expect(EventLoop.currentTask == me)
                try await withTaskScope { scope in
                    await yield()
                    #expect(EventLoop.currentTask == me)
                    let other = scope.spawn(name: "other") { EventLoop.currentTask?.name }
                    let name = try await other.value
                    #expect(name == "other")
                }
            }
            #expect(EventLoop.currentTask == me)
        }
    }

    @Test("all tasks, in the order of their start, until they have ended")
    func all() throws {
        try virtually {
            let loop = EventLoop.current
            let me = try #require(EventLoop.currentTask)
            let tasks = (0..<3).map { number in spawn(name: "\(number)") { try await sleep(until: .never) } }
            #expect(loop.allTasks == [me] + tasks.map(\.handle))
            #expect(loop.allTasks.map(\.id) == loop.allTasks.map(\.id).sorted())
            await turns(1)
            tasks[1].cancel()
            _ = await tasks[1].result
            #expect(loop.allTasks == [me, tasks[0].handle, tasks[2].handle])
            for task in loop.allTasks where task != me { task.cancel() }
            try await wait(for: tasks)
            #expect(loop.allTasks == [me])
        }
    }

    @Test("the result is there once the task has ended, and the error counts as looked at then")
    func resultIfDone() throws {
        let reports = Recorder<UnhandledError>()
        try virtually {
            EventLoop.current.setErrorHandler { reports.add($0) }
            let task = spawn { throw TestError("seen") }
            #expect(task.resultIfDone == nil)
            await turns(1)
            #expect(throws: TestError("seen")) { try task.resultIfDone?.get() }
            let unseen = spawn(name: "unseen") { throw TestError("unseen") }
            #expect(unseen.resultIfDone == nil)
            await turns(1)
        }
        #expect(reports.all.map(\.taskName) == ["unseen"])
    }

    @Test("each request to end is counted, also after the end")
    func cancellationCount() throws {
        try virtually {
            let task = spawn { try? await sleep(until: .never) }
            #expect(task.handle.cancellationCount == 0 && !task.isCancelled)
            for _ in 0..<3 { task.cancel() }
            #expect(task.handle.cancellationCount == 3 && task.isCancelled)
            try await task.value
            task.cancel()
            #expect(task.handle.cancellationCount == 4 && task.handle.isDone)
        }
    }

    // MARK: - Its own end

    @Test("a task that awaits itself traps with a sentence", arguments: ["value", "result", "in a timeout"])
    func itself(how: String) async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) { [how] in
            try EventLoop().runBody {
                let gate = Promise<LoopTask<Void>>()
                let future = gate.future
                let task = spawn {
                    let me = try await future.value
                    switch how {
                    case "value": try await me.value
                    case "result": _ = await me.result
                    default: try await withTimeout(.seconds(9)) { () in try await me.value }
                    }
                }
                gate.succeed(task)
                try await task.value
            }
        }
        #expect(result.sentence.contains("A task cannot wait for its own end: await it in another one."))
    }

    // MARK: - Reports

    @Test("a promise's error that nobody looked at is reported with the place of the promise")
    func futureFailed() throws {
        let reports = Recorder<UnhandledError>()
        let line = try virtually {
            EventLoop.current.setErrorHandler { reports.add($0) }
            let line = UInt(#line) + 1
            Promise<Int>().fail(TestError("lost"))
            return line
        }
        let report = try #require(reports.all.first)
        #expect(reports.count == 1 && report.cause == .futureFailed && report.taskName == nil)
        #expect(
            "\(report)"
                == "Nobody looked at the error of the promise made at EventLoopTests/TaskHandleTests.swift:\(line): TestError(name: \"lost\")"
        )
    }

    /// Nobody can end a task of Swift's from outside, so it is never freed.
    private static let leftBehind = Recorder<LoopTask<Void>>()

    @Test("a task that its loop leaves behind is reported with its name")
    func leftBehind() throws {
        let reports = Recorder<UnhandledError>()
        do {
            let loop = try EventLoop()
            loop.setErrorHandler { reports.add($0) }
            Self.leftBehind.add(loop.spawn(name: "never started") {})
        }
        let report = try #require(reports.all.first)
        #expect(reports.count == 1 && report.cause == .taskLeftBehind)
        #expect(report.error as? EventLoopError == .closed)
        #expect("\(report)".hasPrefix("The loop is gone before the end of task never started, spawned at "))
    }
}
