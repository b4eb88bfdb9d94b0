// Lesson: `spawn` makes a task, which starts at your next wait, and hands back a handle, like
// asyncio.create_task.
//
// The loop owns the task: unlike in Python, it lives even when nobody keeps the handle, until it ends, or
// until `run` ends, which cancels it, as asyncio.run does. `value` waits for what it returned, and has it at
// once when the task has ended already.

import EventLoop

@MainActor
func tasks() throws {
    title("Two tasks: A takes 2 s and is started first, B takes 1 s")
    try Stage.run {
        let a = spawn(name: "A") { try await work("A", seconds: 2) }
        let b = spawn(name: "B") { try await work("B", seconds: 1) }
        log("both are spawned; neither has run yet")

        let fromA = try await a.value
        log("A returned \(fromA)")
        let fromB = try await b.value
        log("B returned \(fromB), a second ago")
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
