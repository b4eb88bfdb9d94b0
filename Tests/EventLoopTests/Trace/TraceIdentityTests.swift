import TestSupport
import Testing

@testable import EventLoop

/// Tasks that the loop did not start: it knows their addresses only.
@Suite("Trace of plain tasks", .timeLimit(.minutes(5)))
struct TraceIdentityTests {
    @Test("a plain task has a row of its own, with its name, from its start")
    func plain() throws {
        let trace = try traced {
            let loop = EventLoop.current
            let task = Task(name: "mine", executorPreference: loop.executor) {
                try await sleep(for: .seconds(1))
            }
            try await task.value
        }
        #expect(trace.tasks.count == 2)
        let task = try trace.task("mine")
        #expect(task.words == ["runs 0", "a timer 0-1000", "runs 1000"])
        #expect(task.parentID == trace.tasks[0].id)
        #expect(task.fileID == nil)
        #expect(trace.tasks[0].words == ["runs 0", "something outside the library 0-1000", "runs 1000"])
    }

    @Test("tasks that have the same address one after another have rows of their own")
    func reusedAddresses() throws {
        let addresses = Recorder<UInt>()
        let trace = try traced {
            let loop = EventLoop.current
            for _ in 0..<50 {
                await Task(executorPreference: loop.executor) { addresses.add(currentTask().address) }.value
            }
        }
        // The runtime gives the same memory again and again; the tasks' names have their numbers.
        let plain = trace.tasks.dropFirst()
        #expect(plain.count == 50)
        #expect(Set(plain.map(\.name)).count == 50)
        #expect(plain.allSatisfy { $0.words == ["runs 0"] })
        let reused = addresses.count - Set(addresses.all).count
        #expect(plain.filter { $0.ended != nil }.count == reused, "a new owner tells of the former's end")
    }

    @Test("a spawned task at a former one's address is another row")
    func reusedBySpawned() throws {
        let trace = try traced {
            for number in 0..<20 { try await spawn(name: "\(number)") { await yield() }.value }
        }
        #expect(trace.tasks.dropFirst().map(\.name) == (0..<20).map(String.init))
        #expect(trace.tasks.allSatisfy { $0.ended != nil })
    }

    @Test("a task that waits elsewhere is the same one when it goes on")
    func foreignWait() throws {
        let trace = try traced {
            let (stream, continuation) = AsyncStream<Int>.makeStream()
            let loop = EventLoop.current
            let reader = Task(name: "reader", executorPreference: loop.executor) {
                await yield()
                for await _ in stream { await yield() }
            }
            for number in 0..<3 {
                try await sleep(for: .seconds(1))
                continuation.yield(number)
            }
            continuation.finish()
            await reader.value
        }
        let readers = trace.tasks.dropFirst()
        #expect(readers.count == 1)
        let words = try #require(readers.first).words
        #expect(
            words.filter { $0.hasPrefix("something outside the library") } == [
                "something outside the library 0-1000", "something outside the library 1000-2000",
                "something outside the library 2000-3000",
            ])
    }

    @Test("the runtime's own sleep is a timer, and the task that ends it is none")
    func taskSleep() async throws {
        // Outside process mode the runtime begins its sleep on a thread of its own, which this must not be.
        let trace = try await onThread { try traced { try await Task.sleep(for: .seconds(1)) } }
        #expect(trace.tasks.map(\.name) == ["main"])
        #expect(trace.tasks[0].words == ["runs 0", "a timer 0-1000", "runs 1000"])
        #expect(trace.loops[0].steps.map(\.name) == ["main", "end of a Task.sleep", "main"])
    }

    @Test("Task.yield's job is no task")
    func taskYield() throws {
        let trace = try traced { await Task.yield() }
        #expect(trace.tasks.map(\.name) == ["main"])
        #expect(trace.tasks[0].ended != nil)
    }

    @Test("children of groups have rows, whether they start at once or not")
    func groups() throws {
        let trace = try traced {
            await withTaskGroup(of: Void.self) { group in
                for seconds in 1...2 { group.addTask { try? await sleep(for: .seconds(seconds)) } }
            }
            await withTaskGroup(of: Void.self) { group in
                for seconds in 1...2 { group.addImmediateTask { try? await sleep(for: .seconds(seconds)) } }
            }
        }
        let children = trace.tasks.dropFirst()
        #expect(
            children.map(\.words) == [
                ["runs 0", "a timer 0-1000", "runs 1000"], ["runs 0", "a timer 0-2000", "runs 2000"],
                ["runs 2000", "a timer 2000-3000", "runs 3000"],
                ["runs 2000", "a timer 2000-4000", "runs 4000"],
            ])
        #expect(children.allSatisfy { $0.parentID == trace.tasks[0].id })
    }

    @Test("a task that is on an actor runs in a job of the actor's")
    func actors() throws {
        let trace = try traced {
            let clerk = Clerk()
            await clerk.work()
            await clerk.work()
        }
        #expect(try trace.task("main").words.contains("a timer 0-1000"))
        #expect(try trace.task("main").words.contains("a timer 1000-2000"))
        #expect(try trace.task("main").ended?.milliseconds == 2000)
    }
}

private actor Clerk {
    let loop = EventLoop.current

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.serialExecutor.asUnownedSerialExecutor() }

    func work() async { try? await sleep(for: .seconds(1)) }
}
