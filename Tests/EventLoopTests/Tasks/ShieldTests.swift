import TestSupport
import Testing

@testable import EventLoop

@Suite("shield", .timeLimit(.minutes(5)))
struct ShieldTests {
    @Test("it returns what the task returns, before its end and after")
    func value() throws {
        let values = try virtually {
            let task = spawn {
                try await sleep(for: .seconds(1))
                return 7
            }
            return [try await shield(task), try await shield(task)]
        }
        #expect(values == [7, 7])
    }

    @Test("it throws what the task throws, and the error counts as looked at")
    func failure() throws {
        let reports = Recorder<UnhandledError>()
        try virtually {
            EventLoop.current.setErrorHandler { reports.add($0) }
            await #expect(throws: TestError("failed")) {
                try await shield(spawn { throw TestError("failed") })
            }
            await #expect(throws: TestError("failed")) {
                try await shield { throw TestError("failed") }
            }
            await turns(3)
        }
        #expect(reports.count == 0)
    }

    @Test("who is cancelled goes on at once, and the task goes on, too")
    func cancelledAwaiter() throws {
        let log = Recorder<String>()
        let value = try virtually {
            let loop = EventLoop.current
            let task = spawn {
                try await sleep(for: .seconds(10))
                return "done"
            }
            let awaiter = spawn {
                do { _ = try await shield(task) } catch {
                    log.add("\(error) at \(loop.now), cancelled: \(Task.isCancelled)")
                }
            }
            loop.callLater(.seconds(1)) { awaiter.cancel() }
            try await awaiter.value
            #expect(!task.isCancelled)
            return try await task.value
        }
        #expect(value == "done")
        #expect(log.all == ["CancellationError() at 1.0 s, cancelled: true"])
    }

    @Test("a task that was cancelled itself throws its CancellationError; the awaiter is not cancelled")
    func cancelledTask() throws {
        try virtually {
            let task = spawn { try await sleep(until: .never) }
            EventLoop.current.callSoon { task.cancel() }
            await #expect(throws: CancellationError.self) { try await shield(task) }
            #expect(!Task.isCancelled)
        }
    }

    @Test("completion and cancellation in the same turn: whichever comes first, the value is not lost")
    func sameTurn() throws {
        try virtually {
            for isCancelledFirst in [true, false] {
                let gate = Promise<Int>()
                let future = gate.future
                let task = spawn(name: "task") { try await future.value }
                let awaiter = spawn { try await shield(task) }
                await turns(2)
                if isCancelledFirst { awaiter.cancel() }
                gate.succeed(5)
                await turns(1)
                #expect(task.isDone)
                if !isCancelledFirst { awaiter.cancel() }
                let result = await awaiter.result
                #expect((try? result.get()) == (isCancelledFirst ? nil : 5))
                let value = try task.resultIfDone?.get()
                #expect(value == 5)
            }
        }
    }

    @Test("an error that comes after the awaiter was cancelled is reported")
    func errorWithoutAwaiter() throws {
        let reports = Recorder<UnhandledError>()
        try virtually {
            let loop = EventLoop.current
            loop.setErrorHandler { reports.add($0) }
            let awaiter = spawn {
                try await shield(name: "careful") {
                    try await sleep(for: .seconds(2))
                    throw TestError("late")
                }
            }
            loop.callLater(.seconds(1)) { awaiter.cancel() }
            await #expect(throws: CancellationError.self) { try await awaiter.value }
            #expect(reports.count == 0)
            try await sleep(for: .seconds(2))
        }
        #expect(reports.all.map(\.taskName) == ["careful"])
        #expect(reports.all.first?.error as? TestError == TestError("late"))
    }

    @Test("an operation is started also when the caller is cancelled already")
    func cancelledBefore() throws {
        let ends = Counter()
        try virtually {
            let caller = spawn {
                withUnsafeCurrentTask { $0?.cancel() }
                try await shield {
                    try await sleep(for: .seconds(1))
                    ends.increment()
                }
            }
            await #expect(throws: CancellationError.self) { try await caller.value }
            try await sleep(for: .seconds(2))
        }
        #expect(ends.value == 1)
    }

    @Test("a task that is shielded from itself traps with a sentence")
    func itself() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try EventLoop().runBody {
                let gate = Promise<LoopTask<Void>>()
                let future = gate.future
                let task = spawn {
                    let me = try await future.value
                    try await shield(me)
                }
                gate.succeed(task)
                try await task.value
            }
        }
        #expect(result.sentence.contains("A task cannot wait for its own end: await it in another one."))
    }
}
