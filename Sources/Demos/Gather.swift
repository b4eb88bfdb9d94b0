// Lesson: `gather` gives results in the order of its operations, whichever ends first.
//
//     await asyncio.gather(a(), b())              try await gather({ try await a() }, { try await b() })
//     await asyncio.gather(*map(fetch, names))    try await gather(names) { name in try await fetch(name) }
//
// The second form can be told how many may run at a time. One rule differs: on the first error, `gather`
// cancels the others and waits for their ends before it throws, so that nothing is left running; asyncio's
// lets them run on. The lesson errors shows that.

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

        section("With a limit of two at a time: whenever one ends, the next begins")
        let names = try await gather(["A", "B", "C", "D", "E"], limit: 2) { name in
            try await answer(name, after: 1)
        }
        log("returned \(names)")
        total()
    }
    conclude("The time of the longest, and all results in the order in which you asked for them.")
}

@MainActor
private func answer<Value>(_ value: Value, after seconds: Int) async throws -> Value {
    try await sleep(for: .seconds(seconds))
    log("\(value) is there")
    return value
}
