import Glibc
import TestSupport
import Testing

@testable import EventLoop

@Suite("A dump of the tasks", .timeLimit(.minutes(5)))
struct TaskDumpTests {
    /// Runs `body` on a loop in debug mode whose time is virtual.
    private func debugged<Success: Sendable>(
        _ body: sending @escaping @isolated(any) () async throws -> Success
    ) throws -> Success {
        let loop = try EventLoop(clock: .virtual, debug: true)
        loop.slowStepThreshold = .seconds(1000)
        defer { expectNothingLeft(on: loop) }
        return try loop.run(fileID: "Main", line: 1, body)
    }

    /// Cancels all tasks but the main one, and waits for their end.
    private static func cancelOthers() async throws {
        for task in EventLoop.current.allTasks where task.name != "main" { task.cancel() }
        try await waitAllTasksBlocked()
    }

    @Test("it shows the tree of tasks, what each waits for and since when")
    func tree() throws {
        let here = "EventLoopTests/TaskDumpTests.swift"
        let line = #line + 2
        let text = try debugged {
            let promise = Promise<Int>()
            let listen = spawn(name: "listen") {
                spawn(name: "connection") { try await sleep(for: .seconds(60)) }
                _ = try await promise.future.value
            }
            let patient = spawn(name: "patient") { try await listen.value }
            let limited = spawn {
                try await withTimeout(.seconds(30)) { try await sleep(for: .seconds(60)) }
            }
            spawn(name: "scope") {
                try await withTaskScope { scope in
                    scope.spawn { _ = try await promise.future.value }
                }
            }
            try await sleep(for: .milliseconds(1500))
            spawn(name: "new") {}
            let text = EventLoop.dumpTasks()
            promise.succeed(1)
            limited.cancel()
            try await patient.value
            try await Self.cancelOthers()
            return text
        }
        let listen = "task listen, from \(here):\(line + 1)"
        #expect(
            text == """
                Tasks of the event loop: 9
                  task main, from Main:1: running
                    task listen, from \(here):\(line + 1): waits for a future, for 1.500 s
                      task connection, from \(here):\(line + 2): waits for a timer, for 1.500 s
                    task patient, from \(here):\(line + 5): waits for \(listen), for 1.500 s
                    task #4, from \(here):\(line + 6): waits in withTimeout
                      withTimeout: waits for a timer, for 1.500 s
                    task scope, from \(here):\(line + 9): waits for the tasks of its scope, for 1.500 s
                      task #9, from \(here):\(line + 11): waits for a future, for 1.500 s
                    task new, from \(here):\(line + 15): has not begun
                """)
    }

    @Test("without debug mode it does not say since when")
    func withoutDebugMode() throws {
        let text = try virtually {
            spawn(name: "sleeper") { try await sleep(for: .seconds(60)) }
            await turns(2)
            let text = EventLoop.dumpTasks()
            try await Self.cancelOthers()
            return text
        }
        #expect(text.contains("task sleeper, from "))
        #expect(text.hasSuffix(": waits for a timer"))
    }

    @Test("tasks that are ready, running or cancelled, and those that wait for one that cannot be cancelled")
    func states() throws {
        let states = try debugged {
            let loop = EventLoop.current
            let promise = Promise<Int>()
            let stubborn = spawn(name: "stubborn") {
                try? await sleep(for: .seconds(60))
                while promise.future.result == nil { await yield() }
            }
            let awaiting = spawn(name: "awaiting") { try await stubborn.value }
            let woken = spawn(name: "woken") { _ = try await promise.future.value }
            await turns(2)
            awaiting.cancel()
            await turns(2)
            promise.succeed(1)
            let states = Self.states(in: loop.dumpTasks())
            try await woken.value
            return states
        }
        #expect(
            states == [
                "task main": "running", "task stubborn, cancelled": "ready",
                "task awaiting, cancelled": "waits for task stubborn, for 0 µs", "task woken": "ready",
            ])
    }

    @Test("called by a call, no task is running")
    func fromACall() throws {
        let states = try debugged {
            let loop = EventLoop.current
            let promise = Promise<[String: String]>()
            loop.callSoon { promise.succeed(Self.states(in: loop.dumpTasks())) }
            return try await promise.future.value
        }
        #expect(states == ["task main": "waits for a future, for 0 µs"])
    }

    @Test("a task that starts another eagerly is running, and so is that one")
    func eager() throws {
        let states = try debugged {
            let task = spawn(name: "eager", eager: true) { Self.states(in: EventLoop.dumpTasks()) }
            return try await task.value
        }
        #expect(states == ["task main": "running", "task eager": "running"])
    }

    @Test("a child whose parent has ended stands at the root, and says so")
    func orphan() throws {
        let text = try debugged {
            try await spawn(name: "parent") {
                _ = spawn(name: "orphan") { try await sleep(for: .seconds(60)) }
            }.value
            await turns(2)
            let text = EventLoop.dumpTasks()
            try await Self.cancelOthers()
            return text
        }
        let lines = text.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[2].hasPrefix("  task orphan, from EventLoopTests/TaskDumpTests.swift:"))
        #expect(lines[2].hasSuffix(", started by task #2, which has ended: waits for a timer, for 0 µs"))
    }

    @Test("waits of tasks that the loop did not start stand apart, in debug mode with the tasks' names")
    func strangers() throws {
        let text = try debugged {
            let loop = EventLoop.current
            let named = Task(name: "named", executorPreference: loop.executor) {
                try await sleep(for: .seconds(60))
            }
            await turns(2)
            let group = spawn(name: "group", fileID: "File", line: 7) {
                await withTaskGroup { group in
                    for _ in 0..<2 { group.addTask { try? await sleep(for: .seconds(1)) } }
                }
            }
            try await sleep(for: .milliseconds(250))
            let text = loop.dumpTasks()
            named.cancel()
            try await group.value
            return text
        }
        let unknown = "children (a task group, async let), or for something that the loop does not know"
        #expect(
            text == """
                Tasks of the event loop: 2
                  task main, from Main:1: running
                    task group, from File:7: waits for \(unknown)
                Waits of tasks that the loop did not start: 3
                  task named: waits for a timer, for 250.0 ms
                  waits for a timer, for 250.0 ms
                  waits for a timer, for 250.0 ms
                """)
    }

    @Test("what a task gathers stands under it in debug mode")
    func gathered() throws {
        let text = try debugged {
            let task = spawn(name: "all", fileID: "File", line: 7) {
                _ = try await gather([1, 2]) { try await sleep(for: .seconds($0)) }
            }
            try await sleep(for: .milliseconds(250))
            let text = EventLoop.dumpTasks()
            try await task.value
            return text
        }
        #expect(
            text == """
                Tasks of the event loop: 4
                  task main, from Main:1: running
                    task all, from File:7: waits in gather
                      gather[0]: waits for a timer, for 250.0 ms
                      gather[1]: waits for a timer, for 250.0 ms
                """)
    }

    @Test("so do operations that race, and those whose values are wanted as they come")
    func racing() throws {
        let text = try debugged {
            let first = spawn(name: "first", fileID: "File", line: 7) {
                try await race([1, 2]) { try await sleep(for: .seconds($0)) }
            }
            let all = spawn(name: "all", fileID: "File", line: 8) {
                try await asCompleted([1, 2, 3], limit: 2) {
                    try await sleep(for: .seconds($0))
                } each: { _, _ in
                }
            }
            try await sleep(for: .milliseconds(250))
            let text = EventLoop.dumpTasks()
            try await first.value
            try await all.value
            return text
        }
        #expect(
            text == """
                Tasks of the event loop: 7
                  task main, from Main:1: running
                    task first, from File:7: waits in race
                      race[0]: waits for a timer, for 250.0 ms
                      race[1]: waits for a timer, for 250.0 ms
                    task all, from File:8: waits in asCompleted
                      asCompleted[0]: waits for a timer, for 250.0 ms
                      asCompleted[1]: waits for a timer, for 250.0 ms
                """)
    }

    @Test("it can be had before a run and after it, but not from another thread meanwhile")
    func threads() async throws {
        let loop = try EventLoop()
        loop.spawn(name: "later", fileID: "File", line: 7) {}
        #expect(loop.dumpTasks() == "Tasks of the event loop: 1\n  task later, from File:7: has not begun")
        try loop.runBody { await yield() }
        #expect(loop.dumpTasks() == "Tasks of the event loop: 0")
        let result = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await onLoop { loop in try await onThread { _ = loop.dumpTasks() } }
        }
        #expect(result.sentence.contains("dumpTasks was called while another thread runs the event loop"))
    }

    @Test("no wait's age is taken for that of an earlier one in its slot")
    func slotsAreUsedAgain() throws {
        let states = try debugged {
            let loop = EventLoop.current
            try await sleep(for: .seconds(10))
            spawn(name: "later") { try await sleep(for: .seconds(60)) }
            try await sleep(for: .seconds(3))
            let states = Self.states(in: loop.dumpTasks())
            try await Self.cancelOthers()
            return states
        }
        #expect(states["task later"] == "waits for a timer, for 3.000 s")
    }

    /// What each task does, by its title without the place where it was spawned.
    private static func states(in text: String) -> [String: String] {
        var states: [String: String] = [:]
        for line in text.split(separator: "\n").dropFirst() {
            let title = line.prefix { $0 != ":" }.split(separator: ", from ")[0].drop { $0 == " " }
            let afterPlace = line.split(separator: ":", maxSplits: 1)[1]
            let rest = afterPlace.split(separator: ": ", maxSplits: 1)
            let isCancelled = rest[0].hasSuffix(", cancelled")
            let state = rest[1].split(separator: ", from ")
            let age =
                state.count > 1 ? state[1].split(separator: ", ").dropFirst().map { ", \($0)" }.joined() : ""
            states[title + (isCancelled ? ", cancelled" : "")] = "\(state[0])\(age)"
        }
        return states
    }

    @Test("of a long chain of tasks each has a line, and no line's length grows with the chain")
    func deepChain() throws {
        let count = 5000
        func chain(_ left: Int, _ isThere: Promise<Void>) -> LoopTask<Void> {
            spawn {
                let next = left > 1 ? chain(left - 1, isThere) : nil
                if next == nil { isThere.succeed() }
                try? await sleep(until: .never)
            }
        }
        let loop = try EventLoop()
        let text = try loop.runBody {
            let isThere = Promise<Void>()
            _ = chain(count, isThere)
            try await isThere.future.value
            return EventLoop.dumpTasks()
        }
        let lines = text.split(separator: "\n")
        #expect(lines.count == count + 2)
        #expect(lines.allSatisfy { $0.utf8.count < 200 })
        try loop.close()
    }

    // MARK: - By a signal

    @Test("a signal asks for it, as often as it comes")
    func signal() throws {
        let loop = try EventLoop()
        let recorder = Recorder<String>()
        loop.setDebugHandler { if case .tasks(let text) = $0 { recorder.add(text) } }
        try loop.runBody {
            let loop = EventLoop.current
            try loop.dumpTasksOnSignal(SIGUSR1)
            for count in 1...2 {
                raise(SIGUSR1)
                while recorder.count < count { await yield() }
            }
            loop.stopDumpingTasks(onSignal: SIGUSR1)
        }
        #expect(recorder.all.allSatisfy { $0.hasPrefix("Tasks of the event loop: 1\n  task main, from ") })
        #expect(recorder.all.allSatisfy { $0.hasSuffix(": ready") })
        expectNothingLeft(on: loop)
    }

    @Test("one signal is asked for once, others beside it, and it is free again afterwards")
    func signalTwice() throws {
        let loop = try EventLoop()
        try loop.runBody {
            let loop = EventLoop.current
            try loop.dumpTasksOnSignal(SIGUSR1)
            #expect(throws: SystemError(call: "signalfd", code: EEXIST)) {
                try loop.dumpTasksOnSignal(SIGUSR1)
            }
            #expect(throws: SystemError(call: "signalfd", code: EINVAL)) {
                try loop.dumpTasksOnSignal(SIGKILL)
            }
            try loop.dumpTasksOnSignal(SIGUSR2)
            loop.stopDumpingTasks(onSignal: SIGUSR1)
            loop.stopDumpingTasks(onSignal: SIGUSR1)
            #expect(loop.engine.signalObservers.count == 1)
            try Signals([SIGUSR1]).close()
        }
        try loop.close()
        expectNothingLeft(on: loop)
    }

    @Test("by default it goes to standard error")
    func signalPrints() async throws {
        let result = try await #require(processExitsWith: .success, observing: [\.standardErrorContent]) {
            let loop = try EventLoop()
            try loop.runBody {
                try EventLoop.current.dumpTasksOnSignal(SIGUSR1)
                raise(SIGUSR1)
                await turns(2)
            }
        }
        #expect(result.sentence.hasPrefix("EventLoop: Tasks of the event loop: 1\n  task main, from "))
    }
}
