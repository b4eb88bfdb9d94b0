// Lesson: a thread runs one loop at a time. Within a loop, await; do not run another.
//
// "asyncio.run() cannot be called from a running event loop" is what Python says when a synchronous
// function hides a loop, and an async one calls it. The reason is the same here: the inner loop would have
// to end before the outer one could go on, so everybody on the outer one would stand still. It is an error,
// before anything is run.
//
// Two ways out. The good one: make the function async, all the way up to the one loop. The other, for a
// function that you cannot change: let it run its loop in a thread of its own, and await the thread.
//
// `EventLoop.run` has the whole process, once at a time. A second loop, in another thread, is made with
// `EventLoop()`, and runs no main-actor code.

import EventLoop

@MainActor
func loopInALoop() throws {
    title("A report that takes 1 s, behind a function that is not async")
    let second = Stage.lapsed(.seconds(1))
    try Stage.run {
        section("Called from a task: the thread runs a loop already")
        do {
            let text = try report(taking: second)
            log(text)
        } catch {
            log("error: \(error)")
        }
        total()

        section("The async function behind it, awaited")
        let awaited = try await makeReport(taking: second)
        log(awaited)
        total()

        section("In a thread, whose own loop it may run")
        let threaded = try await toThread { try report(taking: second) }
        log(threaded)
        total()
    }
    conclude("Async from top to bottom, and one loop underneath; a thread for what cannot be changed.")
}

/// What a library might offer to programs that know no event loop.
private func report(taking duration: Duration) throws -> String {
    let loop = try EventLoop()
    let text = try loop.run { try await makeReport(taking: duration) }
    try loop.close()
    return text
}

private func makeReport(taking duration: Duration) async throws -> String {
    try await sleep(for: duration)
    return "the report: 42 pages"
}
