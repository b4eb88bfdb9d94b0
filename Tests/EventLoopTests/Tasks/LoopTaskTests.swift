import TestSupport
import Testing

@testable import EventLoop

@Suite("spawn and LoopTask", .timeLimit(.minutes(5)))
struct LoopTaskTests {
    @Test("a spawned task runs on its loop, has a name, and returns its value")
    func value() async throws {
        try await onLoop { loop in
            let task = spawn(name: "worker") { loop.isOnLoopThread }
            #expect(task.name == "worker")
            #expect(!task.isDone)
            let wasHere = try await task.value
            #expect(wasHere)
            #expect(task.isDone)
            #expect(!task.isCancelled)
            let again = try await task.value
            #expect(again)
            #expect(spawn {}.name == nil)
            await turns(2)
        }
    }

    @Test("it takes its first step in a later turn, in the order of spawning")
    func firstStep() async throws {
        try await onLoop { _ in
            let order = Recorder<Int>()
            for number in 0..<10 { spawn { order.add(number) } }
            #expect(order.count == 0)
            await turns(1)
            #expect(order.all == (0..<10).map { $0 })
        }
    }

    @Test("it describes itself by its name and where it was spawned")
    func description() async throws {
        try await onLoop { _ in
            let line = UInt(#line) + 1
            let task = spawn(name: "named") {}
            #expect("\(task)" == "task named spawned at EventLoopTests/LoopTaskTests.swift:\(line)")
            try await task.value
        }
    }

    @Test("an error is thrown by value, and is in result")
    func failure() async throws {
        try await onLoop { _ in
            let task = spawn { throw TestError("failed") }
            await #expect(throws: TestError("failed")) { try await task.value }
            let result = await task.result
            #expect(throws: TestError("failed")) { try result.get() }
            #expect(task.isDone)
        }
    }

    @Test("cancel ends its wait")
    func cancel() async throws {
        try await onLoop { _ in
            let task = spawn { try await sleep(until: .never) }
            await turns(2)
            task.cancel()
            #expect(task.isCancelled)
            #expect(!task.isDone)
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(task.isDone)
            task.cancel()
        }
    }

    @Test("the loop keeps a task alive that nobody has a handle of")
    func keptAlive() async throws {
        try await onLoop { loop in
            let done = Promise<Int>()
            let holder = Recorder<Promise<Int>>()
            holder.add(done)
            spawn {
                try await sleep(for: .milliseconds(1))
                holder.all[0].succeed(5)
            }
            #expect(loop.engine.tasks.count == 1)
            let value = try await done.future.value
            #expect(value == 5)
        }
    }

    @Test("an awaiting task that is cancelled cancels the task, and waits for its end")
    func cancelledAwaiter() async throws {
        try await onLoop { _ in
            let log = Recorder<String>()
            let inner = spawn {
                do { try await sleep(until: .never) } catch {
                    await turns(3)
                    log.add("cleaned up")
                    throw error
                }
            }
            let outer = spawn {
                defer { log.add("awaiter") }
                try await inner.value
            }
            await turns(3)
            outer.cancel()
            await #expect(throws: CancellationError.self) { try await outer.value }
            #expect(log.all == ["cleaned up", "awaiter"])
            #expect(inner.isCancelled)
        }
    }

    @Test("a handle may be awaited on another thread")
    func awaitedElsewhere() async throws {
        let task = try await onLoop { _ in
            let task = spawn {
                try await sleep(for: .milliseconds(1))
                return 3
            }
            let value = try await Task.detached { try await task.value }.value
            #expect(value == 3)
            return Weak(task.record)
        }
        #expect(task.value == nil)
    }

    @Test("a task can be spawned before the loop runs")
    func beforeRun() async throws {
        let value = try await onThread {
            let loop = try EventLoop()
            let task = loop.spawn { loop.isOnLoopThread }
            return try loop.runBody { try await task.value }
        }
        #expect(value)
    }

    // MARK: - Errors that nobody looks at

    @Test("an error that nobody looked at is reported once, when the last handle goes, with name and place")
    func reported() async throws {
        try await onLoop { loop in
            let reports = Recorder<UnhandledError>()
            loop.setErrorHandler { reports.add($0) }
            let line = UInt(#line) + 1
            var task: LoopTask<Void>? = spawn(name: "lost") { throw TestError("lost") }
            await turns(3)
            #expect(task!.isDone)
            #expect(reports.count == 0)
            task = nil
            let report = try #require(reports.all.first)
            #expect(reports.count == 1)
            #expect(report.error as? TestError == TestError("lost"))
            #expect(report.taskName == "lost")
            #expect(report.fileID == "EventLoopTests/LoopTaskTests.swift")
            #expect(report.line == line)
            #expect(
                "\(report)"
                    == "Nobody looked at the error of task lost, spawned at EventLoopTests/LoopTaskTests.swift:\(line): TestError(name: \"lost\")"
            )
        }
    }

    @Test("without a handle the error is reported when the task ends")
    func reportedWithoutHandle() async throws {
        try await onLoop { loop in
            let reports = Recorder<UnhandledError>()
            loop.setErrorHandler { reports.add($0) }
            for _ in 0..<3 { spawn { throw TestError("lost") } }
            await turns(2)
            #expect(reports.count == 3)
        }
    }

    @Test(
        "an error that somebody looked at is not reported", arguments: ["value", "result", "before its end"])
    func retrieved(how: String) async throws {
        try await onLoop { loop in
            let reports = Recorder<UnhandledError>()
            loop.setErrorHandler { reports.add($0) }
            do {
                let task = spawn {
                    if how == "before its end" { try await sleep(for: .zero) }
                    throw TestError("seen")
                }
                if how == "value" { await turns(3) }
                if how == "result" { _ = await task.result } else { try? await task.value }
            }
            await turns(3)
            #expect(reports.count == 0)
        }
    }

    @Test("a cancellation is not reported")
    func cancellationNotReported() async throws {
        try await onLoop { loop in
            let reports = Recorder<UnhandledError>()
            loop.setErrorHandler { reports.add($0) }
            spawn { try await sleep(until: .never) }.cancel()
            spawn { throw CancellationError() }
            await turns(4)
            #expect(reports.count == 0)
            #expect(loop.engine.tasks.count == 0)
        }
    }

    // MARK: - Misuse

    @Test("spawn outside a loop traps with a sentence")
    func outside() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            spawn {}
        }
        #expect(result.sentence.contains("spawn was called outside a running event loop"))
    }

    @Test("spawn on a loop that another thread runs traps with a sentence")
    func wrongThread() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { loop in
                try await onThread { _ = loop.spawn {} }
            }
        }
        #expect(result.sentence.contains("spawn was called while another thread runs the event loop"))
    }
}

private final class Weak<Object: AnyObject & Sendable>: Sendable {
    nonisolated(unsafe) weak var value: Object?

    init(_ value: Object) {
        self.value = value
    }
}
