import TestSupport
import Testing

@testable import EventLoop

@Suite("Futures of results, tasks, callbacks and threads", .timeLimit(.minutes(5)))
struct FutureBridgesTests {
    // MARK: - Of results

    @Test("futures that are done from the start")
    func done() throws {
        let reports = Recorder<UnhandledError>()
        try virtually {
            EventLoop.current.setErrorHandler { reports.add($0) }
            let value = try await Future.succeeded(1).value
            #expect(value == 1)
            await #expect(throws: TestError("bad")) {
                try await Future<Int>.failed(TestError("bad")).value
            }
            let cancelled = Future<Int>.cancelled()
            #expect(cancelled.isDone && cancelled.isCancelled)
            #expect(reports.count == 0)
            let line = UInt(#line) + 1
            _ = Future<Int>.failed(TestError("lost"))
            #expect(reports.all.map(\.line) == [line])
        }
    }

    @Test("they can be made before their loop runs")
    func beforeRun() throws {
        let loop = try EventLoop()
        let future = Future.succeeded(3, on: loop).map { $0 + 1 }
        let value = try loop.runBody { try await future.value }
        #expect(value == 4)
    }

    @Test("a promise takes a result")
    func complete() throws {
        try virtually {
            let (good, bad) = (Promise<Int>(), Promise<Int>())
            good.complete(with: .success(1))
            bad.complete(with: .failure(TestError("bad")))
            let value = try await good.future.value
            #expect(value == 1)
            await #expect(throws: TestError("bad")) { try await bad.future.value }
        }
    }

    // MARK: - Of tasks

    @Test("a task's future has its value, its error, or its cancellation")
    func ofTask() throws {
        let reports = Recorder<UnhandledError>()
        try virtually {
            EventLoop.current.setErrorHandler { reports.add($0) }
            do {
                let (good, bad) = (spawn { 1 }, spawn { () -> Int in throw TestError("bad") })
                let cancelled = spawn { () -> Int in
                    try await sleep(until: .never)
                    return 0
                }
                let futures = [good.future, bad.future, cancelled.future]
                cancelled.cancel()
                await turns(4)
                #expect(futures.map(\.isDone) == [true, true, true])
                #expect(futures.map(\.isCancelled) == [false, false, true])
                #expect(futures.map { try? $0.result!.get() } == [1, nil, nil])
                // Of a task that has ended, it is done at once.
                #expect(good.future.isDone && bad.future.isDone && cancelled.future.isCancelled)
                _ = bad.future.result
            }
        }
        // Each of its futures passes the error on; the one that was made and not looked at says so.
        #expect(reports.all.map(\.cause) == [.futureFailed])
    }

    @Test("cancelling a task's future leaves the task alone, and no callback with it")
    func cancelTaskFuture() throws {
        try virtually {
            let engine = EventLoop.current.engine
            let task = spawn { try await sleep(until: .never) }
            await turns(1)
            let waiters = engine.waiters.count
            for _ in 0..<1000 { task.future.cancel() }
            #expect(engine.waiters.count == waiters)
            #expect(!task.isCancelled)
            task.cancel()
            _ = await task.result
        }
    }

    // MARK: - Of callbacks

    @Test("withPromise waits for the callback, at once or later, value or error")
    func callback() throws {
        try virtually {
            let loop = EventLoop.current
            let atOnce = try await withPromise { $0.succeed(1) }
            let later = try await withPromise(of: Int.self) { promise in
                loop.callLater(.seconds(1)) { promise.succeed(2) }
            }
            #expect([atOnce, later] == [1, 2])
            await #expect(throws: TestError("bad")) {
                try await withPromise(of: Int.self) { promise in
                    loop.callSoon { promise.fail(TestError("bad")) }
                }
            }
            await #expect(throws: TestError("start")) {
                try await withPromise(of: Int.self) { _ in throw TestError("start") }
            }
        }
    }

    @Test("a callback that is dropped without a call ends the wait")
    func droppedCallback() throws {
        try virtually {
            let loop = EventLoop.current
            await #expect(throws: AbandonedPromise.self) {
                try await withPromise(of: Int.self) { promise in
                    let call = loop.callLater(.seconds(9)) { promise.succeed(1) }
                    loop.callLater(.seconds(1)) { call.cancel() }
                }
            }
            #expect(loop.now == EventLoop.Instant(nanoseconds: 1_000_000_000))
        }
    }

    @Test("what comes after the caller was cancelled is ignored, and the other side is told")
    func cancelledCaller() throws {
        let reports = Recorder<UnhandledError>()
        let log = Recorder<String>()
        try virtually {
            let loop = EventLoop.current
            loop.setErrorHandler { reports.add($0) }
            let caller = spawn {
                try await withPromise(of: Int.self) { promise in
                    promise.future.addDoneCallback { _ in log.add("cancelled: \(promise.future.isCancelled)")
                    }
                    loop.callLater(.seconds(2)) { promise.fail(TestError("late")) }
                }
            }
            loop.callLater(.seconds(1)) { caller.cancel() }
            await #expect(throws: CancellationError.self) { try await caller.value }
            try await sleep(for: .seconds(3))
        }
        #expect(log.all == ["cancelled: true"])
        #expect(reports.count == 0)
    }

    // MARK: - Of threads

    @Test("other threads set promises, and the loop wakes up")
    func threads() async throws {
        try await onLoop { _ in
            for number in 0..<100 {
                let promise = Promise<Int>()
                let future = promise.future
                let thread = Thread { promise.succeedThreadSafe(number) }
                let value = try await future.value
                #expect(value == number)
                try await thread.value
            }
            let failing = Promise<Int>()
            let thread = Thread { failing.failThreadSafe(TestError("bad")) }
            await #expect(throws: TestError("bad")) { try await failing.future.value }
            try await thread.value
        }
    }

    @Test("a promise that another thread sets and drops at once keeps its value")
    func setAndDropped() async throws {
        try await onLoop { _ in
            for _ in 0..<100 {
                let value = try await withPromise(of: Int.self) { promise in
                    let holder = Holder(promise)
                    _ = Thread {
                        holder.held!.succeedThreadSafe(1)
                        holder.held = nil
                    }
                }
                #expect(value == 1)
            }
        }
    }

    @Test("a result from a thread that comes after the cancellation is ignored")
    func threadAfterCancel() async throws {
        try await onLoop { _ in
            let promise = Promise<Int>()
            promise.future.cancel()
            try await onThread { promise.completeThreadSafe(with: .success(1)) }
            await turns(2)
            #expect(promise.future.isCancelled)
        }
    }

    // MARK: - When the loop goes

    @Test(
        "a loop that goes before its calls are made is not held by what they hold", arguments: [true, false])
    func loopGoes(hasRun: Bool) throws {
        weak var engine: Engine?
        do {
            let loop = try EventLoop(clock: .virtual)
            engine = loop.engine
            let (waited, ready, timed) = (
                Promise<Int>(on: loop), Promise<Int>(on: loop), Promise<Int>(on: loop)
            )
            let leaveCalls: @Sendable () -> Void = {
                waited.future.addDoneCallback { _ in Issue.record("called after the loop") }
                _ = waited.future.map { $0 + 1 }.and(ready.future)
                ready.succeed(1)
                ready.future.addDoneCallback { _ in Issue.record("called after the loop") }
                loop.callLater(.seconds(1)) { timed.succeed(1) }
                loop.callSoon { waited.succeed(1) }
            }
            if hasRun {
                // In its last turn: they stay among what is ready then.
                loop.spawn {
                    leaveCalls()
                    loop.stop()
                }
                try loop.run()
            } else {
                leaveCalls()
            }
        }
        #expect(engine == nil)
    }
}
