// Lesson: a queue stands between those who make items and those who use them, at different speeds.
//
//     queue = asyncio.Queue(maxsize=5)        let queue = Queue<Int>(maxSize: 5)
//     await queue.put(item)                   try await queue.put(item)
//     item = await queue.get()                let item = try await queue.get()
//
// A full queue makes its producer wait, an empty one its consumers: whoever is slower sets the pace, and no
// list grows without end. Look at the producer, gather[0] in the charts: it is far ahead at first, and then
// as fast as the workers. ("Put 6, 4 in store": both workers had taken one before the producer went on.)
//
// How do the workers hear that there is nothing more? The old way is a sentinel, an item that means "the
// end": one for each worker, so somebody has to count them. Better is `shutdown()` (asyncio has it since
// 3.13): the workers take what is left, and their loops end, however many they are. `taskDone` and `join` are
// there as well; they are needed only when the producer must know that the items are done.

import EventLoop

@MainActor
func producerConsumer() throws {
    title("Ten items, two workers that take 1 s for each, a queue of five")
    try Stage.run {
        section("The old way: the producer puts a sentinel for each worker")
        // `nil` is the sentinel, and `while let` ends at it.
        let items = Queue<Int?>(maxSize: 5)
        try await gather(
            {
                for item in 1...10 {
                    try await items.put(item)
                    log("put \(item), \(items.count) in store")
                }
                for _ in 1...2 { try await items.put(nil) }
                log("put two sentinels")
            },
            { while let item = try await items.get() { try await work("A", on: item) } },
            { while let item = try await items.get() { try await work("B", on: item) } })
        total()

        section("The better way: the producer shuts the queue down, and a worker is a loop over it")
        let queue = Queue<Int>(maxSize: 5)
        try await gather(
            {
                for item in 1...10 {
                    try await queue.put(item)
                    log("put \(item), \(queue.count) in store")
                }
                queue.shutdown()
                log("shut down, with \(queue.count) in store")
            },
            { for try await item in queue { try await work("A", on: item) } },
            { for try await item in queue { try await work("B", on: item) } })
        total()
    }
    conclude("Ten seconds of work in five, and never more than five items in store.")
}

@MainActor
private func work(_ name: String, on item: Int) async throws {
    log("\(name)  takes \(item)")
    try await sleep(for: .seconds(1))
}
