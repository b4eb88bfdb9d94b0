// Lesson: waits add up when each holds the thread, and overlap when they are awaited.
//
// `gather` starts its operations at once, like asyncio.gather: each runs until its first await, then the next
// one starts. All of them are on one thread, and take as long together as the longest of them does.

import EventLoop

@MainActor
func syncAsync() throws {
    Console.title("Three waits: A takes 2 s, B takes 3 s, C takes 1 s")

    Console.section("One after another, each blocking the thread")
    var watch = Stopwatch()
    for (name, seconds) in [("A", 2), ("B", 3), ("C", 1)] {
        watch.log("\(name)  starts")
        blockThread(for: .seconds(seconds))
        watch.log("\(name)  ends")
    }
    let blocking = watch.total()

    Console.section("All at once, on the event loop")
    watch = Stopwatch()
    try EventLoop.run {
        try await gather(
            { try await wait("A", seconds: 2, watch) },
            { try await wait("B", seconds: 3, watch) },
            { try await wait("C", seconds: 1, watch) })
    }
    let onLoop = watch.total()
    print("\n  Speed-up: \(Duration.speedUp(from: blocking, to: onLoop))")
}

@MainActor
private func wait(_ name: String, seconds: Int, _ watch: Stopwatch) async throws {
    watch.log("\(name)  starts")
    try await sleep(for: .seconds(seconds))
    watch.log("\(name)  ends")
}
