// Code of the guide: tasks and scopes.

import EventLoop
import Testing

enum Request {
    // snippet.ContextVar
    @TaskLocal static var user = "nobody"
    // snippet.end
}

@Suite("In the guide: tasks", .timeLimit(.minutes(5)))
struct TaskSnippets {
    @Test("a task runs beside its creator, and its value can be awaited")
    func createTask() throws {
        try virtually {
            // snippet.create_task
            let task = spawn(name: "fetch") { try await fetch("A") }
            // snippet.end
            // snippet.done
            let isOver = task.isDone
            // snippet.end
            #expect(!isOver && task.name == "fetch")
            // snippet.await_task
            let page = try await task.value
            // snippet.end
            #expect(page == "A done" && task.isDone)
            // snippet.result
            if let result = task.resultIfDone { print(try result.get()) }
            // snippet.end
        }
    }

    @Test("an eager task takes its first step at once")
    func eager() throws {
        try virtually {
            let log = Log()
            // snippet.eager_task
            spawn(eager: true) { log.add("at once") }
            // snippet.end
            #expect(log.lines == ["at once"])
        }
    }

    @Test("a cancelled task hears of it at its await, and stays cancelled")
    func cancel() throws {
        try virtually {
            let log = Log()
            let task = spawn {
                do {
                    try await sleep(for: .seconds(10))
                } catch {
                    log.add("\(error)")
                    await #expect(throws: CancellationError.self) { try await sleep(for: .seconds(10)) }
                    throw error
                }
            }
            await yield()
            // snippet.cancel
            task.cancel()
            // snippet.end
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(log.lines == ["CancellationError()"])
            // snippet.cancelling
            let count = task.handle.cancellationCount
            // snippet.end
            #expect(count == 1)
        }
    }

    @Test("what computes asks whether it is to end")
    func askedToEnd() throws {
        try virtually {
            let log = Log()
            let task = spawn {
                await yield()
                // snippet.isCancelled
                if Task.isCancelled { log.add("asked to end") }
                // snippet.end
                // snippet.checkCancellation
                try Task.checkCancellation()
                // snippet.end
                log.add("goes on")
            }
            await yield()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(log.lines == ["asked to end"])
        }
    }

    @Test("whoever is cancelled while awaiting a task cancels that task, too")
    func cancelledAwaiter() throws {
        try virtually {
            let inner = spawn { try await fetch("A", taking: .seconds(10)) }
            let outer = spawn { try await inner.value }
            await yield()
            outer.cancel()
            await #expect(throws: CancellationError.self) { try await outer.value }
            #expect(inner.isDone && inner.isCancelled)
        }
    }

    @Test("a callback hears how a task ended")
    func callback() throws {
        try virtually {
            let log = Log()
            let task = spawn { try await fetch("A") }
            // snippet.add_done_callback
            task.addDoneCallback { result in log.add("\(result)") }
            // snippet.end
            try await sleep(for: .seconds(2))
            #expect(log.lines == [#"success("A done")"#])
        }
    }

    @Test("tasks can be listed, and the running one knows itself")
    func list() throws {
        try virtually {
            let loop = EventLoop.current
            let task = spawn(name: "fetch") {
                // snippet.current_task
                let me = EventLoop.currentTask
                // snippet.end
                #expect(me?.name == "fetch")
                try await sleep(for: .seconds(1))
            }
            await yield()
            // snippet.all_tasks
            let names = loop.allTasks.map { $0.name ?? "(unnamed)" }
            // snippet.end
            #expect(names == ["main", "fetch"])
            try await task.value
        }
    }

    @Test("a task has the context of the place where it was spawned")
    func context() throws {
        try virtually {
            // snippet.copy_context
            let task = Request.$user.withValue("ada") { spawn { Request.user } }
            // snippet.end
            #expect(Request.user == "nobody")
            let user = try await task.value
            #expect(user == "ada")
        }
    }

    @Test("a scope awaits its tasks")
    func scope() throws {
        try virtually {
            // snippet.TaskGroup
            let pages = try await withTaskScope { scope in
                let first = scope.spawn { try await fetch("A") }
                let second = scope.spawn { try await fetch("B") }
                return [try await first.value, try await second.value]
            }
            // snippet.end
            #expect(pages == ["A done", "B done"])
            try await withTaskScope { scope in
                // snippet.TaskGroup.create_task
                scope.spawn { try await fetch("A") }
                // snippet.end
                scope.spawn { try await fetch("B") }
            }
        }
    }

    @Test("the first error ends a scope, and all errors are in the scope's")
    func scopeError() throws {
        try virtually {
            let log = Log()
            // snippet.ExceptionGroup
            do {
                try await withTaskScope { scope in
                    scope.spawn { try await fetch("A", taking: .seconds(10)) }
                    scope.spawn { throw Failed() }
                }
            } catch let failure as TaskScopeError {
                for error in failure.errors { log.add("\(error)") }
            }
            // snippet.end
            #expect(log.lines == ["Failed()"])
            #expect(EventLoop.current.now < EventLoop.Instant(nanoseconds: 1_000_000_000))
        }
    }

    @Test("an error that nobody looked at reaches the loop's handler")
    func unhandled() throws {
        try virtually {
            let loop = EventLoop.current
            let log = SharedLog()
            // snippet.set_exception_handler
            loop.setErrorHandler { unhandled in log.add("\(unhandled.error)") }
            // snippet.end
            spawn { throw Failed() }
            try await sleep(for: .seconds(1))
            #expect(log.lines == ["Failed()"])
        }
    }
}
