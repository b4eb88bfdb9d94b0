// Code of the article about what happens at an await.

import EventLoop
import Testing

@Suite("In the guide: what happens at an await", .timeLimit(.minutes(5)))
struct AwaitSnippets {
    @Test("an await of what is there does not end a step")
    func steps() throws {
        try virtually {
            let log = Log()
            // snippet.steps
            let event = Event()
            event.set()
            spawn { log.add("the other task") }
            try await event.wait()  // it is set: the step goes on
            log.add("still the same step")
            try await sleep(for: .zero)
            log.add("the next step")
            // snippet.end
            #expect(log.lines == ["still the same step", "the other task", "the next step"])
        }
    }

    @Test("after 128 awaits of what is there a step ends")
    func budget() throws {
        try virtually {
            let event = Event()
            event.set()
            for (count, first) in [(128, "the loop"), (129, "the other task")] {
                let log = Log()
                let task = spawn {
                    for _ in 0..<count { try await event.wait() }
                    log.add("the loop")
                }
                let other = spawn { log.add("the other task") }
                try await gather({ try await other.value }, { try await task.value })
                #expect(log.lines.first == first)
            }
        }
    }

    @Test("what was read before an await may be out of date after it")
    func outOfDate() throws {
        try virtually {
            var balance = 0
            try await gather(0..<10) { _ in
                // snippet.lost_update
                let before = balance
                try await sleep(for: .milliseconds(1))
                balance = before + 1
                // snippet.end
            }
            #expect(balance == 1)
            balance = 0
            try await gather(0..<10) { _ in
                let before = balance
                balance = before + 1
            }
            #expect(balance == 10)
        }
    }

    @Test("a cancelled await leaves nothing behind")
    func cancelled() throws {
        try virtually {
            // snippet.cancelled
            let task = spawn { try await sleep(for: .seconds(3600)) }
            await yield()
            task.cancel()
            await yield()
            // snippet.end
            #expect(task.isDone)
            // Time would leap to the timer if there were one.
            try await waitAllTasksBlocked()
            #expect(EventLoop.current.now.nanoseconds == 0)
        }
    }
}
