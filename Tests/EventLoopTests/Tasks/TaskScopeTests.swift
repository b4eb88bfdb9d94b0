import TestSupport
import Testing

@testable import EventLoop

@Suite("withTaskScope", .timeLimit(.minutes(5)))
struct TaskScopeTests {
    private func errors(of body: () async throws -> Void) async -> [TestError] {
        do {
            try await body()
            return []
        } catch let error as TaskScopeError {
            return error.errors.compactMap { $0 as? TestError }
        } catch {
            Issue.record("\(error) is not a TaskScopeError")
            return []
        }
    }

    @Test("it returns the body's value when the body and all tasks have ended")
    func value() throws {
        try virtually {
            let log = Recorder<Int>()
            let time = try await elapsed {
                let value = try await withTaskScope { scope in
                    for number in 1...3 {
                        scope.spawn {
                            try await sleep(for: .seconds(number))
                            log.add(number)
                        }
                    }
                    return "body"
                }
                #expect(value == "body")
            }
            #expect(time == .seconds(3))
            #expect(log.all == [1, 2, 3])
        }
    }

    @Test("a scope without tasks, and a task that ends before the body, are nothing special")
    func empty() throws {
        try virtually {
            let outcome = try await withTaskScope { _ in 1 }
            #expect(outcome == 1)
            try await withTaskScope { scope in
                let task = scope.spawn { 2 }
                try await sleep(for: .seconds(1))
                #expect(task.isDone)
                let outcome2 = try await task.value
                #expect(outcome2 == 2)
            }
        }
    }

    @Test("the first error cancels the other tasks and the body, and waits for them")
    func firstError() throws {
        try virtually {
            let log = Recorder<String>()
            let time = await elapsed {
                let found = await errors {
                    try await withTaskScope { scope in
                        scope.spawn {
                            try await sleep(for: .seconds(1))
                            throw TestError("first")
                        }
                        scope.spawn {
                            do {
                                try await sleep(until: .never)
                            } catch {
                                await yield()
                                log.add("task cleaned up")
                                throw error
                            }
                        }
                        do {
                            try await sleep(until: .never)
                        } catch {
                            log.add("body cancelled")
                            throw error
                        }
                    }
                }
                #expect(found == [TestError("first")])
            }
            #expect(time == .seconds(1))
            #expect(Set(log.all) == ["task cleaned up", "body cancelled"])
        }
    }

    @Test("all errors come together, in the order in which they came, the body's among them")
    func allErrors() throws {
        try virtually {
            let found = await errors {
                try await withTaskScope { scope in
                    for name in ["a", "b"] {
                        scope.spawn {
                            do {
                                try await sleep(until: .never)
                            } catch {
                                throw TestError(name)
                            }
                        }
                    }
                    try await sleep(for: .seconds(1))
                    throw TestError("body")
                }
            }
            #expect(found == [TestError("body"), TestError("a"), TestError("b")])
        }
    }

    @Test("a task that was cancelled alone is no error, and disturbs nobody")
    func cancelledTask() throws {
        try virtually {
            let value = try await withTaskScope { scope in
                let cancelled = scope.spawn { try await sleep(until: .never) }
                let other = scope.spawn {
                    try await sleep(for: .seconds(2))
                    return "other"
                }
                try await sleep(for: .seconds(1))
                cancelled.cancel()
                return try await other.value
            }
            #expect(value == "other")
        }
    }

    @Test("cancelling the caller cancels body and tasks, and is not swallowed")
    func outsideCancellation() throws {
        try virtually {
            let log = Recorder<String>()
            let task = spawn {
                try await withTaskScope { scope in
                    scope.spawn {
                        do { try await sleep(until: .never) } catch { log.add("task") }
                    }
                    do { try await sleep(until: .never) } catch { log.add("body") }
                }
                // The scope could end in peace, but who called it is cancelled all the same.
                try Task.checkCancellation()
            }
            try await sleep(for: .seconds(1))
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(log.all == ["body", "task"])
        }
    }

    @Test("a cancellation that comes while only tasks are left cancels them")
    func cancelledWhileWaiting() throws {
        try virtually {
            let task = spawn {
                try await withTaskScope { scope in
                    scope.spawn { try await sleep(until: .never) }
                }
            }
            try await sleep(for: .seconds(1))
            task.cancel()
            _ = await task.result
            #expect(EventLoop.current.allTasks.count == 1)
        }
    }

    @Test("errors outweigh a cancellation from outside")
    func errorsAndCancellation() throws {
        try virtually {
            let task = spawn {
                try await withTaskScope { scope in
                    scope.spawn {
                        do { try await sleep(until: .never) } catch { throw TestError("clean-up") }
                    }
                    try await sleep(until: .never)
                }
            }
            await turns(3)
            task.cancel()
            await #expect(throws: TaskScopeError.self) { try await task.value }
        }
    }

    @Test("cancel ends the scope without an error, and again does nothing")
    func cancel() throws {
        try virtually {
            let log = Recorder<String>()
            try await withTaskScope { scope in
                scope.spawn {
                    do { try await sleep(until: .never) } catch { log.add("task") }
                }
                await turns(2)
                scope.cancel()
                scope.cancel()
                #expect(scope.isCancelled)
                try await sleep(until: .never)
            }
            #expect(log.all == ["task"])
            #expect(!Task.isCancelled)
            // A body that was to return a value has none.
            await #expect(throws: CancellationError.self) {
                try await withTaskScope { scope -> Int in
                    scope.cancel()
                    try await sleep(until: .never)
                    return 1
                }
            }
        }
    }

    @Test("a task may cancel its scope, and start others in it")
    func fromATask() throws {
        try virtually {
            let log = Recorder<String>()
            try await withTaskScope { scope in
                scope.spawn {
                    scope.spawn(name: "grandchild") {
                        try await sleep(for: .seconds(1))
                        log.add("grandchild")
                        scope.cancel()
                    }
                    do { try await sleep(until: .never) } catch { log.add("child") }
                }
            }
            #expect(log.all == ["grandchild", "child"])
        }
    }

    /// Starts a task whenever the one before has ended: each for a second, the last for ever.
    private func startAnother(in scope: TaskScope, _ count: Int, _ log: Recorder<Int>) {
        let task = scope.spawn {
            defer { log.add(count) }
            if count > 0 { try await sleep(for: .seconds(1)) } else { try await sleep(until: .never) }
        }
        if count > 0 {
            task.addDoneCallback { _ in startAnother(in: scope, count - 1, log) }
        }
    }

    @Test("a task that starts at the end of the last one is waited for, and cancelled with the caller")
    func startedAtTheEnd() throws {
        try virtually {
            let log = Recorder<Int>()
            let task = spawn {
                try await withTaskScope { scope in startAnother(in: scope, 3, log) }
            }
            try await sleep(for: .seconds(10))
            #expect(log.all == [3, 2, 1])
            #expect(!task.isDone)
            task.cancel()
            _ = await task.result
            #expect(log.all == [3, 2, 1, 0])
        }
    }

    @Test("a task that starts while the scope is being cancelled starts cancelled", arguments: [false, true])
    func lateTask(eager: Bool) throws {
        try virtually {
            let log = Recorder<String>()
            try await withTaskScope { scope in
                scope.cancel()
                let late = scope.spawn(eager: eager) {
                    log.add("\(Task.isCancelled)")
                    try await sleep(until: .never)
                }
                #expect(late.isCancelled)
            }
            #expect(log.all == ["true"])
        }
    }

    @Test("an eager task that fails at once cancels the body at its first await")
    func eagerFailure() throws {
        try virtually {
            let log = Recorder<String>()
            let found = await errors {
                try await withTaskScope { scope in
                    let task = scope.spawn(eager: true) { throw TestError("at once") }
                    #expect(task.handle.cancellationCount == 0)
                    log.add("goes on")
                    try await sleep(until: .never)
                }
            }
            #expect(found == [TestError("at once")])
            #expect(log.all == ["goes on"])
        }
    }

    @Test("an eager task that cancels its scope at once is cancelled with it, once")
    func eagerCancel() throws {
        try virtually {
            try await withTaskScope { scope in
                let task = scope.spawn(eager: true) {
                    scope.cancel()
                    try await sleep(until: .never)
                }
                #expect(task.handle.cancellationCount == 1)
            }
        }
    }

    @Test("an error of a scope's task is the scope's: nobody reports it")
    func notReported() throws {
        try virtually {
            let reports = Recorder<UnhandledError>()
            EventLoop.current.setErrorHandler { reports.add($0) }
            _ = await errors {
                try await withTaskScope { scope in
                    scope.spawn { throw TestError("mine") }
                }
            }
            #expect(reports.count == 0)
        }
    }

    @Test("spawning in a scope that has ended traps with a sentence")
    func afterTheEnd() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try EventLoop(clock: .virtual).runBody {
                let scope = try await withTaskScope { scope in scope }
                scope.spawn {}
            }
        }
        #expect(result?.sentence.contains("spawned in a scope that has ended") == true)
    }

    @Test("a scope that is asked on a wrong thread traps with a sentence")
    func wrongThread() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { _ in
                try await withTaskScope { scope in try await onThread { _ = scope.isCancelled } }
            }
        }
        #expect(result.sentence.contains("TaskScope.isCancelled was called while another thread runs"))
    }

    @Test("a scope in a timeout ends with it")
    func inATimeout() throws {
        try virtually {
            await #expect(throws: TimeoutError()) {
                try await withTimeout(.seconds(1)) {
                    try await withTaskScope { scope in
                        scope.spawn { try await sleep(until: .never) }
                        try await sleep(until: .never)
                    }
                }
            }
            #expect(EventLoop.current.now == EventLoop.Instant(nanoseconds: 1_000_000_000))
        }
    }
}
