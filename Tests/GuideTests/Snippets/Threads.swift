// Code of the guide: blocking work on threads, and loops on threads of their own.

import EventLoop
import TestSupport
import Testing

@Suite("In the guide: threads", .timeLimit(.minutes(5)))
struct ThreadSnippets {
    private static func countWords(_ text: String) -> Int { text.split(separator: " ").count }

    @Test("blocking work is a thread's")
    func blockingWork() throws {
        try virtually {
            let text = "to be or not to be"
            // snippet.to_thread
            let count = try await toThread { Self.countWords(text) }
            // snippet.end
            #expect(count == 6)
            // snippet.ThreadPoolExecutor
            let pool = ThreadPool(size: 2, name: "words")
            // snippet.end
            // snippet.run_in_executor
            let other = try await toThread(on: pool) { Self.countWords(text) }
            // snippet.end
            #expect(other == 6)
            // snippet.Executor.shutdown
            pool.shutdown()
            // snippet.end
            // snippet.to_thread_wait
            let last = try await toThread(onCancel: .wait) { Self.countWords(text) }
            // snippet.end
            #expect(last == 6)
        }
    }

    @Test("a loop on a thread of its own, and tasks from other threads")
    func loopThread() async throws {
        // snippet.LoopThread
        let worker = try LoopThread(name: "worker")
        let page = try await worker.run { try await fetch("A", taking: .milliseconds(1)) }
        await worker.end()
        // snippet.end
        #expect(page == "A done")
    }

    @Test("another thread starts a task, and may block until it has ended")
    func threadSafeTask() async throws {
        let worker = try LoopThread()
        let loop = worker.loop
        let count = try await onThread {
            // snippet.run_coroutine_threadsafe
            let task = loop.spawnThreadSafe { try await fetch("A", taking: .milliseconds(1)) }
            // snippet.end
            // snippet.concurrent_future_result
            let page = try task.wait(atMost: .seconds(60))
            // snippet.end
            return page.count
        }
        #expect(count == 6)
        await worker.end()
    }
}
