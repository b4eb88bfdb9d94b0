import EventLoop

let virtualTimeCases = [
    Case("virtual time: the runtime's sleeps, children and main-actor code take no time, in order") {
        let log = VirtualLog()
        try EventLoop.run(clock: .virtual) {
            async let one: Void = log.wait(4000, by: "async let")
            let two = Task { try await log.wait(3000, by: "task") }
            let three = spawn { try await log.wait(2001, by: "spawned") }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await log.wait(1001, by: "group") }
                group.addTask {
                    try await Task.sleep(for: .seconds(500), clock: .suspending)
                    try check(isOnLoop(), "on the loop")
                }
                try await group.waitForAll()
            }
            _ = try await (one, two.value, three.value)
        }
        let expected = [
            "group at 1001.0 s", "spawned at 2001.0 s", "task at 3000.0 s", "async let at 4000.0 s",
        ]
        try check(log.lines == expected, "\(log.lines)")
    },
    Case("virtual time: a task moves a manual clock for plain tasks, too") {
        try EventLoop.run(clock: .manual) {
            var ticks = 0
            let ticker = Task { @MainActor in
                while ticks < 61 {
                    try await Task.sleep(for: .seconds(60))
                    ticks += 1
                }
            }
            try await EventLoop.current.advance(by: .seconds(3600))
            try check(ticks == 60, "\(ticks) ticks")
            // The runtime frees what belongs to a sleep when the sleep's time has come.
            try await EventLoop.current.advance(by: .seconds(60))
            try await ticker.value
        }
    },
    Case("seeds: plain tasks run in an order that the seed decides") {
        func order(seed: UInt64?) throws -> [Int] {
            try EventLoop.run(clock: .virtual, seed: seed) { @MainActor in
                var order: [Int] = []
                let tasks = (0..<20).map { number in Task { order.append(number) } }
                for task in tasks { await task.value }
                return order
            }
        }
        try check(try order(seed: nil) == Array(0..<20), "in order without a seed")
        try check(try order(seed: 1) == order(seed: 1), "the same seed, the same order")
        try check(try order(seed: 1) != order(seed: 2), "another seed, another order")
    },
]

@MainActor private final class VirtualLog {
    private(set) var lines: [String] = []

    func wait(_ seconds: Int, by name: String) async throws {
        if seconds % 2 == 0 {
            try await Task.sleep(for: .seconds(seconds))
        } else {
            try await sleep(for: .seconds(seconds))
        }
        MainActor.assertIsolated()
        lines.append("\(name) at \(EventLoop.current.now)")
    }
}
