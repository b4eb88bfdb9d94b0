// Lesson: take results as they come, the fastest first, instead of in the order in which you asked.
//
//     async for task in asyncio.as_completed(tasks):       for try await task in asCompleted(tasks) {
//         print(await task)           # from 3.13 on           print(try await task.value)
//                                                          }
//
// What comes is the task itself, so its name says whose result it is, and its value is there at once. It
// costs the same time as `gather`; what it saves is the time until the first result, which somebody may be
// waiting for. A `timeout` is for the iteration as a whole. Tasks that have not ended by then go on: cancel
// them, or use the form with `each`, which leaves nothing running.

import EventLoop

@MainActor
func asCompletedDemo() throws {
    let sources = [("users", 2), ("posts", 3), ("comments", 1)]
    title("Users take 2 s, posts 3 s, comments 1 s")
    try Stage.run {
        section("gather: nothing to show before all are there")
        let all = try await gather(sources) { (name, seconds) in try await load(name, seconds) }
        log("show: \(all.joined(separator: ", "))")
        total()

        section("asCompleted: each is shown when it is there")
        let tasks = sources.map { (name, seconds) in spawn(name: name) { try await load(name, seconds) } }
        for try await task in asCompleted(tasks) {
            let text = try await task.value
            log("show: \(text), of the task \(task.name ?? "")")
        }
        total()

        section("With a time limit of 2.5 s for all: you cancel the rest, and wait for its end")
        let others = sources.map { (name, seconds) in spawn(name: name) { try await load(name, seconds) } }
        do {
            for try await task in asCompleted(others, timeout: .seconds(2.5)) {
                let text = try await task.value
                log("show: \(text)")
            }
        } catch is TimeoutError {
            log("time is up")
            for task in others { task.cancel() }
            // They have ended when they are awaited, not when they are asked to.
            for task in others { _ = await task.result }
        }
        total()

        section("One operation for each element: nothing is left running, whatever happens")
        do {
            try await withTimeout(.seconds(2.5)) {
                try await asCompleted(sources) { (name, seconds) in
                    try await load(name, seconds)
                } each: { _, text in
                    log("show: \(text)")
                }
            }
        } catch is TimeoutError {
            log("time is up, and nothing is left")
        }
        total()
    }
    conclude("The last result comes no sooner than with gather; the first one does.")
}

@MainActor
private func load(_ name: String, _ seconds: Int) async throws -> String {
    try await sleep(for: .seconds(seconds))
    log("\(name) are loaded")
    return "\(seconds * 10) \(name)"
}
