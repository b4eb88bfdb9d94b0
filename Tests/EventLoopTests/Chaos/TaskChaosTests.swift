import Testing

@testable import EventLoop

/// Awaits of tasks, futures and time, cancelled wherever they are.
@Suite("tasks in chaos", .timeLimit(.minutes(5)))
struct TaskChaosTests {
    @Test("sleeps end in time, or are cancelled and leave no timer")
    func sleeps() async throws {
        try await chaos { chaos in
            for _ in 0..<6 {
                chaos.worker {
                    let loop = EventLoop.current
                    for _ in 0..<3 {
                        let deadline = loop.now.advanced(by: .nanoseconds(chaos.number(0...15)))
                        try await sleep(until: deadline)
                        try chaos.check(loop.now >= deadline, "not early")
                    }
                }
            }
            try await chaos.strikeAndEnd()
        }
    }

    @Test("a future reaches all who still wait for it, and none of the others' ends takes it away")
    func futures() async throws {
        try await chaos { chaos in
            let promise = Promise<Int>()
            let doubled = promise.future.map { $0 * 2 }
            var called = 0
            promise.future.addDoneCallback { _ in called += 1 }
            for number in 0..<6 {
                chaos.worker {
                    try await chaos.pause()
                    let value = try await number % 2 == 0 ? promise.future.value : doubled.value
                    try chaos.check(value == (number % 2 == 0 ? 7 : 14), "the value")
                }
            }
            let setter = chaos.helper {
                try await chaos.pause()
                promise.succeed(7)
            }
            try await chaos.strikeAndEnd()
            try await setter.end()
            try await waitAllTasksBlocked()
            try chaos.check(called == 1, "one callback, not \(called)")
        }
    }

    @Test("no child outlives its gather")
    func gathers() async throws {
        try await chaos { chaos in
            var running = 0
            func child() async throws -> Int {
                running += 1
                defer { running -= 1 }
                try await gather({ try await chaos.pause() }, { try await chaos.pause() })
                return 1
            }
            for _ in 0..<3 {
                chaos.worker {
                    let limit = chaos.number(1...4)
                    let values = try await gather(0..<4, limit: limit) { _ in try await child() }
                    try chaos.check(values == [1, 1, 1, 1], "all values")
                }
            }
            try await chaos.strikeAndEnd()
            try chaos.check(running == 0, "no child of \(running)")
        }
    }

    @Test("a task is cancelled with who awaits it, and awaited to its end")
    func awaits() async throws {
        try await chaos { chaos in
            let running = Counter()
            for _ in 0..<4 {
                chaos.worker {
                    let task = spawn(eager: chaos.chance(1, in: 2)) {
                        running.increment()
                        defer { running.decrement() }
                        // It cleans up, and returns.
                        do { try await chaos.pause() } catch { await yield() }
                        return 1
                    }
                    await chaos.turns()
                    if chaos.chance(1, in: 3) { task.cancel() }
                    let value = try await task.value
                    try chaos.check(value == 1 && task.isDone, "it has ended")
                }
            }
            try await chaos.strikeAndEnd()
            try chaos.check(running.value == 0, "no task of \(running.value)")
        }
    }

    @Test("what is shielded goes on to its end")
    func shields() async throws {
        try await chaos { chaos in
            let (begun, ended) = (Counter(), Counter())
            var tasks: [LoopTask<Void>] = []
            for _ in 0..<4 {
                chaos.worker {
                    let task = spawn {
                        try await chaos.pause()
                        ended.increment()
                    }
                    tasks.append(task)
                    begun.increment()
                    try await shield(task)
                    try chaos.check(task.isDone, "it has ended")
                }
            }
            try await chaos.strikeAndEnd()
            for task in tasks { try await task.value }
            try chaos.check(begun.value == ended.value, "\(ended.value) of \(begun.value) have ended")
        }
    }

    @Test("timeouts tell their own end from a cancellation, and leave nothing of their bodies")
    func timeouts() async throws {
        try await chaos { chaos in
            var running = 0
            for _ in 0..<4 {
                chaos.worker {
                    do {
                        try await withTimeout(.nanoseconds(chaos.number(0...10))) {
                            running += 1
                            defer { running -= 1 }
                            try await withTimeout(.nanoseconds(chaos.number(0...10))) {
                                try await chaos.pause()
                                try await chaos.pause()
                            }
                        }
                    } catch is TimeoutError {}
                }
            }
            try await chaos.strikeAndEnd()
            try chaos.check(running == 0, "no body of \(running)")
        }
    }

    @Test("no task outlives its scope, whoever is cancelled")
    func scopes() async throws {
        try await chaos { chaos in
            for _ in 0..<3 {
                chaos.worker {
                    let running = Counter()
                    let ends = { try chaos.check(running.value == 0, "no task outlives its scope") }
                    do {
                        try await withTaskScope { scope in
                            for _ in 0..<3 {
                                scope.spawn(eager: chaos.chance(1, in: 2)) {
                                    running.increment()
                                    defer { running.decrement() }
                                    try await chaos.pause()
                                    if chaos.chance(1, in: 8) { scope.cancel() }
                                    try await chaos.pause()
                                }
                            }
                            try await chaos.pause()
                        }
                    } catch {
                        try ends()
                        throw error
                    }
                    try ends()
                }
            }
            try await chaos.strikeAndEnd()
        }
    }

    @Test("races, waits and completions in order leave none of their operations behind")
    func races() async throws {
        try await chaos { chaos in
            let running = Counter()
            @Sendable func run() async throws -> Int {
                running.increment()
                defer { running.decrement() }
                try await chaos.pause()
                return 1
            }
            for number in 0..<4 {
                chaos.worker {
                    switch number {
                    case 0:
                        let value = try await race({ try await run() }, { try await run() })
                        try chaos.check(value == 1, "the winner's value")
                    case 1:
                        let value = try await firstSuccess(0..<3) { _ in try await run() }
                        try chaos.check(value == 1, "the winner's value")
                    case 2:
                        var count = 0
                        try await asCompleted(0..<3) { _ in
                            try await run()
                        } each: { _, _ in
                            count += 1
                        }
                        try chaos.check(count == 3, "each value, not \(count)")
                    default:
                        let tasks = (0..<3).map { _ in spawn { try await run() } }
                        defer { for task in tasks { task.cancel() } }
                        let ended = try await wait(for: tasks, until: .firstCompleted)
                        try chaos.check(!ended.done.isEmpty, "one has ended")
                    }
                }
            }
            try await chaos.strikeAndEnd()
            try await waitAllTasksBlocked()
            try chaos.check(running.value == 0, "no operation of \(running.value)")
        }
    }
}
