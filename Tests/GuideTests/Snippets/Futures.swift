// Code of the guide: promises and futures.

import EventLoop
import TestSupport
import Testing

@Suite("In the guide: futures", .timeLimit(.minutes(5)))
struct FutureSnippets {
    @Test("a promise is set once, and all who await its future go on")
    func promise() throws {
        try virtually {
            // snippet.create_future
            let promise = Promise<Int>()
            // snippet.end
            let future = promise.future
            // snippet.await_future
            let reader = spawn { try await future.value }
            // snippet.end
            await yield()
            // snippet.set_result
            promise.succeed(42)
            // snippet.end
            let value = try await reader.value
            // snippet.Future.done
            let isDone = future.isDone
            // snippet.end
            // snippet.Future.result
            let result = future.result
            // snippet.end
            #expect(value == 42 && isDone)
            #expect(try result?.get() == 42)
        }
    }

    @Test("a promise can fail, and a future be cancelled")
    func failure() throws {
        try virtually {
            let promise = Promise<Int>()
            // snippet.set_exception
            promise.fail(Failed())
            // snippet.end
            await #expect(throws: Failed()) { try await promise.future.value }
            let other = Promise<Int>()
            // snippet.Future.cancel
            other.future.cancel()
            // snippet.end
            await #expect(throws: CancellationError.self) { try await other.future.value }
            other.succeed(1)
            #expect(other.future.isCancelled)
        }
    }

    @Test("who awaits a future and is cancelled leaves it to the others")
    func cancelledAwaiter() throws {
        try virtually {
            let promise = Promise<Int>()
            let future = promise.future
            let first = spawn { try await future.value }
            let second = spawn { try await future.value }
            await yield()
            first.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
            promise.succeed(42)
            let value = try await second.value
            #expect(value == 42)
        }
    }

    @Test("a callback hears of the result")
    func callback() throws {
        try virtually {
            let log = Log()
            let promise = Promise<Int>()
            let future = promise.future
            // snippet.Future.add_done_callback
            future.addDoneCallback { result in log.add("\(result)") }
            // snippet.end
            promise.succeed(42)
            #expect(log.lines == [])
            await yield()
            #expect(log.lines == ["success(42)"])
        }
    }
}
