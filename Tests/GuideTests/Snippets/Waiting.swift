// Code of the guide: sleeping, doing several things at once, and time limits.

import EventLoop
import Testing

@Suite("In the guide: waiting", .timeLimit(.minutes(5)))
struct WaitingSnippets {
    @Test("a sleep takes its time, and a sleep of zero lets others go first")
    func sleeping() throws {
        try virtually {
            var time = try await elapsed {
                // snippet.sleep
                try await sleep(for: .seconds(1))
                // snippet.end
            }
            #expect(time == .seconds(1))
            let log = Log()
            spawn { log.add("other") }
            time = try await elapsed {
                // snippet.sleep0
                try await sleep(for: .zero)
                // snippet.end
                // snippet.yield
                await yield()
                // snippet.end
            }
            #expect(time == .zero && log.lines == ["other"])
            let deadline = EventLoop.current.now.advanced(by: .seconds(3))
            // snippet.sleep_until
            try await sleep(until: deadline)
            // snippet.end
            #expect(EventLoop.current.now == deadline)
        }
    }

    @Test("gather gives all values in order, and the first error cancels the rest")
    func gathering() throws {
        try virtually {
            // snippet.gather
            let (page, count) = try await gather({ try await fetch("A") }, { try await fetch("BC").count })
            // snippet.end
            #expect(page == "A done" && count == 7)
            // snippet.gather_star
            let pages = try await gather(["A", "B"]) { name in try await fetch(name) }
            // snippet.end
            #expect(pages == ["A done", "B done"])
            let time = await elapsed {
                await #expect(throws: Failed()) {
                    _ = try await gather({ try await fetch("A", taking: .seconds(9)) }, { throw Failed() })
                }
            }
            #expect(time == .zero)
        }
    }

    @Test("an async function is called with await")
    func calling() throws {
        try virtually {
            // snippet.await
            let page = try await fetch("A")
            // snippet.end
            #expect(page == "A done")
        }
    }

    @Test("gatherResults gives all results, and cancels nobody")
    func gatheringResults() throws {
        try virtually {
            // snippet.return_exceptions
            let results = await gatherResults(["A", ""]) { name in
                if name.isEmpty { throw Failed() }
                return try await fetch(name)
            }
            // snippet.end
            let log = Log()
            // snippet.results
            for result in results {
                switch result {
                case .success(let page): log.add(page)
                case .failure(let error): log.add("failed: \(error)")
                }
            }
            let page = try results[0].get()  // the value; or it throws the error
            // snippet.end
            #expect(log.lines == ["A done", "failed: Failed()"])
            #expect(page == "A done")
            #expect(throws: Failed()) { try results[1].get() }
        }
    }

    @Test("gather with a limit runs that many at once")
    func limit() throws {
        try virtually {
            let names = ["A", "B", "C", "D"]
            let time = try await elapsed {
                // snippet.gather_limit
                let pages = try await gather(names, limit: 2) { name in try await fetch(name) }
                // snippet.end
                #expect(pages.count == 4)
            }
            #expect(time == .seconds(2))
        }
    }

    @Test("time that is up is a TimeoutError, and the body has ended by then")
    func timeout() throws {
        try virtually {
            // snippet.timeout
            let page = try await withTimeout(.seconds(5)) { try await fetch("A") }
            // snippet.end
            #expect(page == "A done")
            let log = Log()
            // snippet.TimeoutError
            do {
                try await withTimeout(.seconds(5)) { try await sleep(for: .seconds(10)) }
            } catch is TimeoutError {
                log.add("took too long")
            }
            // snippet.end
            #expect(log.lines == ["took too long"])
            #expect(EventLoop.current.now.nanoseconds == 6_000_000_000)
        }
    }

    @Test("a deadline is a point in time, and nil is no limit")
    func deadline() throws {
        try virtually {
            let deadline = EventLoop.current.now.advanced(by: .seconds(1))
            await #expect(throws: TimeoutError()) {
                // snippet.timeout_at
                try await withDeadline(deadline) { try await fetch("A", taking: .seconds(2)) }
                // snippet.end
            }
            // snippet.timeout_none
            let page = try await withTimeout(nil) { try await fetch("A", taking: .seconds(60)) }
            // snippet.end
            #expect(page == "A done")
        }
    }

    @Test("a body can give itself more time")
    func reschedule() throws {
        try virtually {
            // snippet.reschedule
            try await withTimeout(.seconds(2)) { timeout in
                for name in ["A", "B", "C"] {
                    print(try await fetch(name))
                    try timeout.reschedule(after: .seconds(2))
                }
            }
            // snippet.end
            #expect(EventLoop.current.now.nanoseconds == 3_000_000_000)
            try await withTimeout(.seconds(2)) { timeout in
                // snippet.expired
                let isUp = timeout.isExpired
                // snippet.end
                // snippet.when
                let deadline = timeout.deadline
                // snippet.end
                #expect(!isUp && deadline.nanoseconds == 5_000_000_000)
            }
        }
    }

    @Test("waitFor cancels the task when time is up, and waits for its end")
    func waitForTask() throws {
        try virtually {
            let task = spawn { try await fetch("A", taking: .seconds(10)) }
            await #expect(throws: TimeoutError()) {
                // snippet.wait_for
                let page = try await waitFor(task, timeout: .seconds(5))
                // snippet.end
                Issue.record("\(page) came in time")
            }
            #expect(task.isDone && task.isCancelled)
        }
    }

    @Test("a cancellation is an error like others, and catch without a pattern catches it")
    func cancelledError() throws {
        try virtually {
            let log = Log()
            let task = spawn {
                // snippet.CancelledError
                do {
                    try await sleep(for: .seconds(10))
                } catch is CancellationError {
                    log.add("cleaning up")
                    throw CancellationError()
                }
                // snippet.end
            }
            await yield()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(log.lines == ["cleaning up"])
        }
    }
}
