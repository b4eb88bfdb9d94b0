// Lesson: a timeout cancels what takes too long, waits until that has cleaned up, and throws.
//
//     async with asyncio.timeout(2):          try await withTimeout(.seconds(2)) {
//         page = await slow_call()                try await slowCall()
//                                             }
//
// asyncio cancels the task that waits; here the body is a child, and the child is cancelled. It hears of
// it like of any cancellation: its await throws. Nothing goes on behind your back, for the body has ended
// when you get the TimeoutError, which is also why a body that ignores its cancellation is waited for.

import EventLoop

@MainActor
func timeouts() throws {
    title("Time limits: the call takes as many seconds as it says")
    try Stage.run {
        section("Too slow: 5 s with a limit of 2 s")
        await attempt("the call") { try await withTimeout(.seconds(2)) { try await call(5) } }
        total()

        section("In time: 1 s with a limit of 2 s, and the rest of the time is not waited for")
        await attempt("the call") { try await withTimeout(.seconds(2)) { try await call(1) } }
        total()

        section("Nested, and the inner limit of 1 s comes first: the outer one goes on, with something else")
        await attempt("all of it") {
            try await withTimeout(.seconds(5)) {
                await attempt("the call") { try await withTimeout(.seconds(1)) { try await call(3) } }
                return try await call(2)
            }
        }
        total()

        section("Nested, and the outer limit of 2 s comes first: to the inner one that is no timeout")
        await attempt("all of it") {
            try await withTimeout(.seconds(2)) {
                do {
                    return try await withTimeout(.seconds(4)) { try await call(3) }
                } catch {
                    log("the inner limit passes on: \(type(of: error))")
                    throw error
                }
            }
        }
        total()
    }
    conclude("When a TimeoutError reaches you, what took too long is over.")
}

@MainActor
private func call(_ seconds: Int) async throws -> String {
    log("a call of \(seconds) s: the connection opens")
    // However this function is left: `finally` in Python.
    defer { log("a call of \(seconds) s: the connection is closed") }
    try await sleep(for: .seconds(seconds))
    return "an answer after \(seconds) s"
}

@MainActor
private func attempt(_ name: String, _ body: () async throws -> String) async {
    do {
        let answer = try await body()
        log("\(name): \(answer)")
    } catch {
        log("\(name): \(type(of: error))")
    }
}
