// Lesson: `gather` gives results in the order of its operations, whichever ends first.
//
//     await asyncio.gather(a(), b())              try await gather({ try await a() }, { try await b() })
//     await asyncio.gather(*map(fetch, names))    try await gather(names) { name in try await fetch(name) }
//
// Its operations start at once, in their order, each running until it first has to wait; what `spawn` starts
// runs in a later turn. The second form can be told how many may run at a time.
//
// One rule differs: on the first error, `gather` cancels the others and waits for their ends before it
// throws, so that nothing is left running; asyncio's lets them run on. The lesson errors shows that.

import EventLoop

@MainActor
func gatherDemo() throws {
    title("Many results, in order")
    try Stage.run {
        section("Operations of different types: a tuple, in their order")
        let (number, text) = try await gather(
            { try await answer(42, after: 2) },
            { try await answer("text", after: 1) })
        log("returned \(number) and \(text)")
        total()

        section("One operation for each element: an array, in the order of the elements")
        let squares = try await gather([3, 1, 2]) { number in
            try await answer(number * number, after: number)
        }
        log("returned \(squares)")
        total()

        section("Two at a time: whenever one ends, the next begins. Two batches of two would take 4 s")
        let calls = [("A", 3), ("B", 1), ("C", 1), ("D", 1)]
        let names = try await gather(calls, limit: 2) { (name, seconds) in
            try await answer(name, after: seconds)
        }
        log("returned \(names)")
        total()
    }
    conclude("Without a limit: the time of the longest. In any case: all results, in the order of the calls.")
}

@MainActor
private func answer<Value>(_ value: Value, after seconds: Int) async throws -> Value {
    try await sleep(for: .seconds(seconds))
    log("\(value) is there")
    return value
}
