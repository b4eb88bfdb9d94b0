// Lesson: waits add up when each holds the thread, and overlap when they are awaited.
//
// `gather` starts all of its operations, like asyncio.gather: each runs until it first has to wait, then the
// next one starts. All of them are on one thread, and take as long together as the longest of them does.
//
// (`Stage.block` is time.sleep.)

import EventLoop

@MainActor
func syncAsync() throws {
    title("Three waits: A takes 2 s, B takes 3 s, C takes 1 s")

    section("One after another, each blocking the thread")
    for (name, seconds) in [("A", 2), ("B", 3), ("C", 1)] {
        log("\(name)  starts")
        Stage.block(name, for: .seconds(seconds))
        log("\(name)  ends")
    }
    let blocking = total()

    section("All at once, on the event loop")
    try Stage.run {
        try await gather(
            { try await wait("A", seconds: 2) },
            { try await wait("B", seconds: 3) },
            { try await wait("C", seconds: 1) })
    }
    let onLoop = total()
    conclude("Speed-up: \(Duration.speedUp(from: blocking, to: onLoop))")
}

@MainActor
private func wait(_ name: String, seconds: Int) async throws {
    log("\(name)  starts")
    try await sleep(for: .seconds(seconds))
    log("\(name)  ends")
}
