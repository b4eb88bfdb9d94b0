// Lesson: `spawn` starts a task now and hands back a handle to await later, like asyncio.create_task.
//
// The loop owns the task: unlike in Python, it lives until it ends even when nobody keeps the handle. `value`
// waits for what it returned, and has it at once when the task has ended already.

import EventLoop

@MainActor
func tasks() throws {
    Console.title("Two tasks: A takes 2 s and is started first, B takes 1 s")
    print()
    let watch = Stopwatch()
    try EventLoop.run {
        let a = spawn(name: "A") { try await work("A", seconds: 2, watch) }
        let b = spawn(name: "B") { try await work("B", seconds: 1, watch) }
        watch.log("both are spawned; neither has run yet")

        watch.log("A returned \(try await a.value)")
        watch.log("B returned \(try await b.value), a second ago")
    }
    _ = watch.total()
}

@MainActor
private func work(_ name: String, seconds: Int, _ watch: Stopwatch) async throws -> Int {
    watch.log("\(name) starts")
    try await sleep(for: .seconds(seconds))
    watch.log("\(name) ends")
    return seconds * 10
}
