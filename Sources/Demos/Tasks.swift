// Lesson: `spawn` starts a task now and hands back a handle to await later, like asyncio.create_task.
//
// The loop owns the task: unlike in Python, it lives until it ends even when nobody keeps the handle. `value`
// waits for what it returned, and has it at once when the task has ended already.

import EventLoop

@MainActor
func tasks() throws {
    title("Two tasks: A takes 2 s and is started first, B takes 1 s")
    try Stage.run {
        let a = spawn(name: "A") { try await work("A", seconds: 2) }
        let b = spawn(name: "B") { try await work("B", seconds: 1) }
        log("both are spawned; neither has run yet")

        log("A returned \(try await a.value)")
        log("B returned \(try await b.value), a second ago")
    }
    total()
    conclude("A task runs from its spawning on, not from its await: B was done before anybody asked.")
}

@MainActor
private func work(_ name: String, seconds: Int) async throws -> Int {
    log("\(name) starts")
    try await sleep(for: .seconds(seconds))
    log("\(name) ends")
    return seconds * 10
}
