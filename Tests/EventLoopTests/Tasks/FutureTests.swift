import TestSupport
import Testing

@testable import EventLoop

@Suite("Future and Promise", .timeLimit(.minutes(5)))
struct FutureTests {
    @Test("a value that is set before is there at once, and again")
    func valueBefore() async throws {
        try await onLoop { _ in
            let promise = Promise<Int>()
            #expect(!promise.future.isDone)
            #expect(promise.future.result == nil)
            promise.succeed(7)
            #expect(promise.future.isDone)
            #expect(!promise.future.isCancelled)
            let first = try await promise.future.value
            let second = try await promise.future.value
            #expect([first, second] == [7, 7])
        }
    }

    @Test("a value that is set later wakes the waiter")
    func valueAfter() async throws {
        try await onLoop { loop in
            let promise = Promise<String>()
            loop.callSoon { promise.succeed("later") }
            let value = try await promise.future.value
            #expect(value == "later")
        }
    }

    @Test("a promise without a value")
    func void() async throws {
        try await onLoop { loop in
            let promise = Promise<Void>()
            loop.callSoon { promise.succeed() }
            try await promise.future.value
        }
    }

    @Test("an error is thrown to every waiter, before and after")
    func failure() async throws {
        try await onLoop { loop in
            let promise = Promise<Int>()
            loop.callSoon { promise.fail(TestError("failed")) }
            await #expect(throws: TestError("failed")) { try await promise.future.value }
            await #expect(throws: TestError("failed")) { try await promise.future.value }
        }
    }

    @Test("several waiters go on in the order in which they came")
    func waitersInOrder() async throws {
        try await onLoop { _ in
            let promise = Promise<Int>()
            let order = Recorder<Int>()
            for number in 0..<50 {
                let future = promise.future
                spawn { order.add(try await future.value + number) }
            }
            await turns(2)
            #expect(order.count == 0)
            promise.succeed(1000)
            await turns(2)
            #expect(order.all == (1000..<1050).map { $0 })
        }
    }

    @Test("cancel ends the wait with a CancellationError, and works once")
    func cancel() async throws {
        try await onLoop { loop in
            let promise = Promise<Int>()
            let future = promise.future
            loop.callSoon { future.cancel() }
            await #expect(throws: CancellationError.self) { try await future.value }
            #expect(future.isCancelled)
            #expect(future.isDone)
            #expect(!future.cancel())
        }
    }

    @Test("cancel of a future that is done has no effect")
    func cancelAfterDone() async throws {
        try await onLoop { _ in
            let promise = Promise<Int>()
            promise.succeed(3)
            #expect(!promise.future.cancel())
            #expect(!promise.future.isCancelled)
            let value = try await promise.future.value
            #expect(value == 3)
        }
    }

    @Test("a result that is set after the cancellation is ignored")
    func succeedAfterCancel() async throws {
        try await onLoop { _ in
            let promise = Promise<Int>()
            promise.future.cancel()
            promise.succeed(1)
            promise.fail(TestError("too late"))
            #expect(promise.future.isCancelled)
            await #expect(throws: CancellationError.self) { try await promise.future.value }
        }
    }

    @Test("callbacks are called in order, in the turn after, and never within succeed")
    func callbacksBefore() async throws {
        try await onLoop { _ in
            let promise = Promise<Int>()
            let order = Recorder<String>()
            for name in ["a", "b", "c"] {
                promise.future.addDoneCallback { order.add("\(name)\((try? $0.get()) ?? -1)") }
            }
            promise.succeed(5)
            #expect(order.count == 0)
            await turns(1)
            #expect(order.all == ["a5", "b5", "c5"])
        }
    }

    @Test("a callback of a future that is done is called in a later turn, in order")
    func callbacksAfter() async throws {
        try await onLoop { _ in
            let promise = Promise<Int>()
            promise.fail(TestError("done"))
            let order = Recorder<String>()
            for name in ["a", "b"] {
                promise.future.addDoneCallback { result in
                    if case .failure(let error) = result {
                        order.add("\(name) \((error as! TestError).name)")
                    }
                }
            }
            #expect(order.count == 0)
            await turns(1)
            #expect(order.all == ["a done", "b done"])
        }
    }

    @Test("a waiter that is cancelled leaves the future to the others")
    func cancelledWaiter() async throws {
        try await onLoop { _ in
            let promise = Promise<Int>()
            let future = promise.future
            let first = spawn { try await future.value }
            let second = spawn { try await future.value }
            await turns(2)
            first.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
            #expect(!future.isDone)
            promise.succeed(9)
            let value = try await second.value
            #expect(value == 9)
        }
    }

    @Test("a promise that is dropped ends the wait with AbandonedPromise")
    func dropped() async throws {
        try await onLoop { loop in
            var promise: Promise<Int>? = Promise<Int>()
            let future = promise!.future
            loop.callSoon { promise = nil }
            await #expect(throws: AbandonedPromise.self) { try await future.value }
            withExtendedLifetime(promise) {}
        }
    }

    @Test("a promise that is dropped on another thread ends the wait, too")
    func droppedElsewhere() async throws {
        try await onLoop { _ in
            let holder = Holder(Promise<Int>())
            let future = holder.held!.future
            try await onThread { holder.held = nil }
            await #expect(throws: AbandonedPromise.self) { try await future.value }
        }
    }

    @Test("a promise that was set and is then dropped keeps its value")
    func droppedAfterSet() async throws {
        try await onLoop { _ in
            var promise: Promise<Int>? = Promise<Int>()
            let future = promise!.future
            promise!.succeed(1)
            promise = nil
            let value = try await future.value
            #expect(value == 1)
        }
    }

    @Test("a promise can be made and set before its loop runs")
    func beforeRun() async throws {
        let value = try await onThread {
            let loop = try EventLoop()
            let promise = Promise<Int>(on: loop)
            promise.succeed(4)
            return try loop.runBody { try await promise.future.value }
        }
        #expect(value == 4)
    }

    @Test("a second result traps with a sentence")
    func secondSet() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try EventLoop().runBody {
                let promise = Promise<Int>()
                promise.succeed(1)
                promise.fail(TestError("second"))
            }
        }
        #expect(result.sentence.contains("A promise is set once: this one has a result already."))
    }

    @Test("a promise outside a loop traps with a sentence")
    func outside() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            _ = Promise<Int>()
        }
        #expect(result.sentence.contains("Promise() was called outside a running event loop"))
    }

    @Test("a promise that is set on a wrong thread traps with a sentence")
    func wrongThread() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { _ in
                let promise = Promise<Int>()
                try await onThread { promise.succeed(1) }
            }
        }
        #expect(result.sentence.contains("Promise.succeed or fail was called while another thread runs"))
    }
}
