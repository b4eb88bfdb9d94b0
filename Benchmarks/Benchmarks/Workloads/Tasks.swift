import CFloor
import EventLoop

let stepsWorkload = Workload(
    name: "steps",
    summary: "1,000 tasks that each yield 100 times: the cost of one step",
    section: .floorAndLoop,
    isPinned: true,
    variants: [
        Variant(name: "floor") { conditions in
            let tasks = tasks(conditions)
            let meter = Meter()
            let rounds = try (0..<roundCount).map { _ in
                var elapsed: UInt64 = 0
                try check(floor_step(Int32(tasks), Int32(stepsOfTask), &elapsed), "step")
                return elapsed
            }
            return meter.figures.adding("step", roundsNanoseconds: rounds, over: tasks * stepsOfTask)
        },
        Variant(name: "EventLoop") { try step(tasks: tasks($0)) },
    ],
    measures: [Measure(figure: "step_ns", label: "yield and resume", unit: .nanoseconds)]
)

let gatherWorkload = Workload(
    name: "gather",
    summary: "gathering 100,000 operations that return at once: time each and memory",
    section: .floorAndLoop,
    isPinned: true,
    variants: [
        Variant(name: "floor") { try gatherFloor(count: operations($0)) },
        Variant(name: "EventLoop") { try gatherOperations(count: operations($0)) },
    ],
    measures: [Measure(figure: "operation_ns", label: "each operation", unit: .nanoseconds), .memory]
)

let spawnWorkload = Workload(
    name: "spawn",
    summary: "spawning 100,000 tasks that return at once, and awaiting each: time each and memory",
    section: .floorAndLoop,
    isPinned: true,
    variants: [
        Variant(name: "floor") { try gatherFloor(count: operations($0)) },
        Variant(name: "EventLoop") { try spawnTasks(count: operations($0)) },
    ],
    measures: [Measure(figure: "operation_ns", label: "each task", unit: .nanoseconds), .memory]
)

private let roundCount = 11
private let stepsOfTask = 100
private func tasks(_ conditions: Conditions) -> Int { conditions.scale.pick(1000, quick: 100) }
private func operations(_ conditions: Conditions) -> Int { conditions.scale.pick(100_000, quick: 5000) }

private func step(tasks: Int) throws -> Figures {
    try EventLoop.run {
        let meter = Meter()
        var rounds: [UInt64] = []
        for _ in 0..<roundCount {
            let begin = floor_now_ns()
            try await gather(0..<tasks) { _ in await yieldManyTimes() }
            rounds.append(floor_now_ns() - begin)
        }
        return meter.figures.adding("step", roundsNanoseconds: rounds, over: tasks * stepsOfTask)
    }
}

private func yieldManyTimes() async {
    for _ in 0..<stepsOfTask { await yield() }
}

private func gatherFloor(count: Int) throws -> Figures {
    var elapsed: UInt64 = 0
    let meter = Meter()
    try check(floor_gather(Int32(count), &elapsed), "gather")
    return meter.figures.adding("operation", nanoseconds: elapsed, over: count)
}

private func gatherOperations(count: Int) throws -> Figures {
    try EventLoop.run {
        let meter = Meter()
        let begin = floor_now_ns()
        let results = try await gather(0..<count) { $0 }
        let elapsed = floor_now_ns() - begin
        guard results.elementsEqual(0..<count) else { throw BenchmarkError("gather mixed up its results") }
        return meter.figures.adding("operation", nanoseconds: elapsed, over: count)
    }
}

private func spawnTasks(count: Int) throws -> Figures {
    try EventLoop.run {
        let meter = Meter()
        let begin = floor_now_ns()
        let tasks = (0..<count).map { number in spawn { number } }
        for (number, task) in tasks.enumerated() {
            guard try await task.value == number else { throw BenchmarkError("a task mixed up its result") }
        }
        let elapsed = floor_now_ns() - begin
        return meter.figures.adding("operation", nanoseconds: elapsed, over: count)
    }
}
