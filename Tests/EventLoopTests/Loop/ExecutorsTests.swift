import TestSupport
import Testing

@testable import EventLoop

@Suite("Executors of a loop on a thread of its own", .timeLimit(.minutes(5)))
struct ExecutorsTests {
    @Test(
        "a task with the preference stays on the loop's thread",
        arguments: [
            "sleep", "Task.sleep", "Task.yield", "yield", "gather", "task group", "async let", "continuation",
        ])
    func preference(what: String) async throws {
        try await onLoop { loop in
            switch what {
            case "sleep": try await sleep(for: .microseconds(100))
            case "Task.sleep": try await Task.sleep(for: .microseconds(100))
            case "Task.yield": await Task.yield()
            case "yield": await yield()
            case "gather":
                let (first, second) = try await gather(
                    {
                        await Task.yield()
                        return loop.isOnLoopThread
                    }, { loop.isOnLoopThread })
                #expect(first && second)
            case "task group":
                await withTaskGroup(of: Bool.self) { group in
                    for _ in 0..<10 {
                        group.addTask {
                            await Task.yield()
                            return loop.isOnLoopThread
                        }
                    }
                    for await wasHere in group { #expect(wasHere) }
                }
            case "async let":
                async let wasHere = isHere(loop)
                #expect(await wasHere)
            default:
                await withCheckedContinuation { continuation in
                    Task.detached { continuation.resume() }
                }
            }
            #expect(loop.isOnLoopThread)
        }
    }

    private func isHere(_ loop: EventLoop) async -> Bool {
        await Task.yield()
        return loop.isOnLoopThread
    }

    @Test("a task that is made elsewhere with the preference runs on the loop")
    func madeElsewhere() async throws {
        try await onLoop { loop in
            let executor = loop.executor
            let wasHere = await Task.detached {
                #expect(!loop.isOnLoopThread)
                return await Task(executorPreference: executor) {
                    await Task.yield()
                    return loop.isOnLoopThread
                }.value
            }.value
            #expect(wasHere)
        }
    }

    @Test("an actor that lives on the loop runs there, whoever calls")
    func actor() async throws {
        try await onLoop { loop in
            let resident = Resident(loop: loop)
            await resident.visit()
            await Task.detached { await resident.visit() }.value
            let visits = await resident.visits
            #expect(visits == [true, true, true, true])
        }
    }

    @Test("an actor's isolation can be assumed on its loop's thread")
    func assumeIsolated() async throws {
        try await onLoop { loop in
            let resident = Resident(loop: loop)
            let counts = Recorder<Int>()
            loop.callSoon { counts.add(resident.assumedVisitCount()) }
            await turns(1)
            #expect(counts.all == [0])
        }
    }

    @Test("an actor's isolation that is assumed on another thread traps with a sentence")
    func assumeIsolatedElsewhere() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            let resident = Resident(loop: try EventLoop())
            _ = resident.assumedVisitCount()
        }
        #expect(
            result.sentence.contains(
                "Code that is isolated to an event loop's actor was called on another thread.")
                || result.sentence.contains("Incorrect actor executor assumption"))
    }

    @Test("Task.sleep that is cancelled ends at once")
    func cancelledTaskSleep() async throws {
        // Its job stays with the loop until it is due; that is the runtime's way.
        let loop = try EventLoop()
        let thread = Thread { try loop.run() }
        let task = Task(executorPreference: loop.executor) { try await Task.sleep(for: .seconds(3600)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        loop.stop()
        try await thread.value
    }
}

private actor Resident {
    private let loop: EventLoop
    private(set) var visits: [Bool] = []
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.serialExecutor.asUnownedSerialExecutor() }

    init(loop: EventLoop) {
        self.loop = loop
    }

    nonisolated func assumedVisitCount() -> Int {
        assumeIsolated { $0.visits.count }
    }

    func visit() async {
        visits.append(loop.isOnLoopThread)
        await Task.yield()
        visits.append(loop.isOnLoopThread)
    }
}
