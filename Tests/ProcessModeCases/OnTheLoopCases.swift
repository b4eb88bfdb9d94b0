import EventLoop

/// What plain Swift code does while the loop has the process: all of it runs on the loop's thread.
let onTheLoopCases = [
    Case("Task runs on the loop") {
        try EventLoop.run { try check(await Task { isOnLoop() }.value, "Task") }
    },
    Case("Task.detached runs on the loop") {
        try EventLoop.run { try check(await Task.detached { isOnLoop() }.value, "Task.detached") }
    },
    Case("async let runs on the loop") {
        try EventLoop.run {
            async let first = whereNonisolatedCodeRuns()
            async let second = whereNonisolatedCodeRuns()
            let both = await [first, second]
            try check(both == [true, true], "\(both)")
        }
    },
    Case("a task group runs on the loop") {
        try EventLoop.run {
            let wereHere = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<100 { group.addTask { await whereNonisolatedCodeRuns() } }
                var wereHere = true
                for await wasHere in group { wereHere = wereHere && wasHere }
                return wereHere
            }
            try check(wereHere, "every child")
        }
    },
    Case("Task.sleep waits on the loop and is not early") {
        try EventLoop.run {
            let loop = EventLoop.current
            for clock in 0..<3 {
                let due = loop.now.advanced(by: .milliseconds(2))
                switch clock {
                case 0: try await Task.sleep(for: .milliseconds(2))
                case 1: try await Task.sleep(for: .milliseconds(2), clock: .suspending)
                default: try await Task.sleep(nanoseconds: 2_000_000)
                }
                try check(loop.now >= due, "clock \(clock) was early")
                try check(isOnLoop(), "on the loop after clock \(clock)")
            }
        }
    },
    Case("Task.sleep is ended by cancellation") {
        try EventLoop.run {
            let task = Task { try await Task.sleep(for: .seconds(3600)) }
            await yield()
            task.cancel()
            let result = await task.result
            guard case .failure(is CancellationError) = result else {
                throw Failure(description: "\(result)")
            }
        }
    },
    Case("Task.yield lets others run and comes back to the loop") {
        try EventLoop.run {
            var order: [String] = []
            EventLoop.current.callSoon { order.append("other") }
            await Task.yield()
            order.append("yielded")
            try check(order == ["other", "yielded"], "\(order)")
            try check(isOnLoop(), "on the loop")
        }
    },
    Case("AsyncStream is read on the loop, also when it is fed by a thread") {
        try EventLoop.run {
            let (stream, continuation) = AsyncStream.makeStream(of: Int.self)
            startThread {
                for number in 0..<1000 { continuation.yield(number) }
                continuation.finish()
            }
            var numbers: [Int] = []
            for await number in stream {
                try check(isOnLoop(), "on the loop")
                numbers.append(number)
            }
            try check(numbers == (0..<1000).map { $0 }, "\(numbers.count) numbers in order")
        }
    },
    Case("main-actor functions run on the loop") {
        try nonisolatedRun {
            try check(await mainActorFunction(), "a main-actor function")
        }
    },
    Case("MainActor.run runs on the loop") {
        try nonisolatedRun {
            try check(await MainActor.run { isOnLoop() }, "MainActor.run")
            try check(
                await Task.detached { await MainActor.run { isOnLoop() } }.value, "from a detached task")
        }
    },
    Case("the main actor can be assumed in callSoon") {
        try nonisolatedRun {
            let flag = Flag()
            EventLoop.current.callSoon { MainActor.assumeIsolated { flag.raise() } }
            await yield()
            try check(flag.isRaised, "the call was made")
        }
    },
    Case("actors run on the loop") {
        try EventLoop.run {
            let counter = CountingActor()
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<100 { group.addTask { await counter.count() } }
            }
            try check(await counter.onLoop == 100, "100 times on the loop")
        }
    },
    Case("gather of main-actor code shares main-actor state") {
        var total = 0
        try EventLoop.run {
            _ = try await gather(
                {
                    total += 1
                    try await sleep(for: .milliseconds(1))
                    total += 1
                },
                {
                    total += 10
                    await yield()
                    total += 10
                })
        }
        try check(total == 22, "\(total)")
    },
    Case("spawn keeps the main actor's isolation") {
        var steps = 0
        try EventLoop.run {
            let task = spawn {
                MainActor.assertIsolated()
                steps += 1
                try await sleep(for: .milliseconds(1))
                steps += 1
            }
            try await task.value
        }
        try check(steps == 2, "\(steps)")
    },
    Case("a continuation that a thread resumes goes on on the loop") {
        try EventLoop.run {
            for _ in 0..<500 {
                await withCheckedContinuation { continuation in
                    startThread { continuation.resume() }
                }
                try check(isOnLoop(), "on the loop")
            }
        }
    },
]

nonisolated private func nonisolatedRun(_ body: sending @escaping @isolated(any) () async throws -> Void)
    throws
{
    try EventLoop.run(body)
}

nonisolated private func whereNonisolatedCodeRuns() async -> Bool {
    let before = isOnLoop()
    await Task.yield()
    return before && isOnLoop()
}

@MainActor private func mainActorFunction() async -> Bool {
    let before = isOnLoop()
    try? await sleep(for: .milliseconds(1))
    return before && isOnLoop()
}

private actor CountingActor {
    private(set) var onLoop = 0

    func count() {
        if isOnLoop() { onLoop += 1 }
    }
}
