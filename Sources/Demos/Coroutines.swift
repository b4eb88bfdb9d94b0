// Lesson: an async function can stop in the middle and go on later. Who calls it says when, and beside what.
//
// In Python, calling one makes a coroutine object, which does nothing until it is awaited; forgetting that is
// a warning at run time. Swift has no such object: an async function is called with `await` (or started with
// `async let`, below), and anything else does not compile. A call to be made by somebody else, such as
// `gather`, goes into a closure:
//
//     await asyncio.gather(fetch_data(), process_data())
//     try await gather({ try await fetchData() }, { try await processData() })
//
// `async let` is the language's own way to the same: it starts the call, and `await` asks for its value.
// Which of them when? A fixed few: `async let` or `gather`. One for each element of a list: `gather`. To keep
// it, cancel it or name it: `spawn`, in the next lesson, tasks.

import EventLoop

@MainActor
func coroutines() throws {
    title("Two async functions: fetching takes 3 s, processing takes 2 s")
    let (slow, fast) = try Stage.run {
        section("Awaited one after the other: the second has not begun before the first has ended")
        let pages = try await fetchData()
        let sum = try await processData()
        log("there are \(pages) and \(sum)")
        let slow = total()

        section("Gathered: both are under way at once, and take as long as the longer one")
        let (pagesToo, sumToo) = try await gather({ try await fetchData() }, { try await processData() })
        log("there are \(pagesToo) and \(sumToo)")
        let fast = total()

        section("With async let: the same")
        async let fetching = fetchData()
        async let processing = processData()
        let (pagesAgain, sumAgain) = (try await fetching, try await processing)
        log("there are \(pagesAgain) and \(sumAgain)")
        total()
        return (slow, fast)
    }
    conclude("To overlap, start both before you await one: \(Duration.speedUp(from: slow, to: fast)).")
}

@MainActor
private func fetchData() async throws -> String {
    log("fetching …")
    try await sleep(for: .seconds(3))
    log("… fetched")
    return "3 pages"
}

@MainActor
private func processData() async throws -> String {
    log("processing …")
    try await sleep(for: .seconds(2))
    log("… processed")
    return "200 words"
}
