// Code of the guide: waiting for some of several tasks, and shields.

import EventLoop
import Testing

@Suite("In the guide: completions", .timeLimit(.minutes(5)))
struct CompletionSnippets {
    /// Three that end after 3, 1 and 2 seconds.
    private func startTasks() -> [LoopTask<String>] {
        [
            spawn { try await fetch("A", taking: .seconds(3)) },
            spawn { try await fetch("B", taking: .seconds(1)) },
            spawn { try await fetch("C", taking: .seconds(2)) },
        ]
    }

    @Test("wait tells those that have ended from those that have not")
    func waiting() throws {
        try virtually {
            let tasks = startTasks()
            let first = try await wait(for: tasks, until: .firstCompleted)
            #expect(first.done.count == 1 && first.pending.count == 2)
            // snippet.wait
            let (done, pending) = try await wait(for: tasks, timeout: .seconds(1))
            // snippet.end
            #expect(done.count == 2 && pending == [tasks[0]])
            #expect(!pending[0].isCancelled)
            let page = try await pending[0].value
            #expect(page == "A done")
        }
    }

    @Test("what has come first is worked on, and then the rest")
    func waitingForEach() throws {
        try virtually {
            let log = Log()
            let tasks = startTasks()
            // snippet.FIRST_COMPLETED
            var pending = tasks
            while !pending.isEmpty {
                let done: [LoopTask<String>]
                (done, pending) = try await wait(for: pending, until: .firstCompleted)
                for task in done { log.add(try await task.value) }
            }
            // snippet.end
            #expect(log.lines == ["B done", "C done", "A done"])
        }
    }

    @Test("tasks come in the order in which they end")
    func asTheyEnd() throws {
        try virtually {
            let log = Log()
            let tasks = startTasks()
            // snippet.as_completed
            for try await task in asCompleted(tasks) { log.add(try await task.value) }
            // snippet.end
            #expect(log.lines == ["B done", "C done", "A done"])
        }
    }

    @Test("values come in the order in which they are there")
    func eachAsItComes() throws {
        try virtually {
            let log = Log()
            let delays = ["A": 3, "B": 1, "C": 2]
            // snippet.as_completed_each
            try await asCompleted(delays.keys.sorted()) { name in
                try await fetch(name, taking: .seconds(delays[name]!))
            } each: { name, page in
                log.add("\(name): \(page)")
            }
            // snippet.end
            #expect(log.lines == ["B: B done", "C: C done", "A: A done"])
        }
    }

    @Test("the first that ends wins a race, and the others are cancelled")
    func racing() throws {
        try virtually {
            let mirrors = [3, 1, 2]
            let time = try await elapsed {
                // snippet.race
                let page = try await race(mirrors) { seconds in
                    try await fetch("mirror \(seconds)", taking: .seconds(seconds))
                }
                // snippet.end
                #expect(page == "mirror 1 done")
            }
            #expect(time == .seconds(1))
        }
    }

    @Test("a shielded task goes on when its awaiter is cancelled")
    func shielding() throws {
        try virtually {
            let saving = spawn { try await fetch("A") }
            let awaiter = spawn {
                // snippet.shield
                try await shield(saving)
                // snippet.end
            }
            await yield()
            awaiter.cancel()
            await #expect(throws: CancellationError.self) { try await awaiter.value }
            #expect(!saving.isCancelled)
            let page = try await saving.value
            #expect(page == "A done")
        }
    }

    @Test("a callback brings the value of a promise, from any thread")
    func promise() throws {
        try virtually {
            func askClient(_ answer: (Int) -> Void) { answer(42) }
            // snippet.withPromise
            let answer = try await withPromise { promise in
                askClient { number in promise.succeed(number) }
            }
            // snippet.end
            #expect(answer == 42)
            let promise = Promise<Int>()
            // snippet.set_result_threadsafe
            promise.succeedThreadSafe(42)
            // snippet.end
            let value = try await promise.future.value
            #expect(value == 42)
        }
    }
}
