// Lesson: a timeout cancels what takes too long, waits until that has cleaned up, and throws.
//
//     async with asyncio.timeout(2):          let page = try await withTimeout(.seconds(2)) {
//         page = await slow_call()                try await slowCall()
//                                             }
//
// The body is a closure, and what it returns, `withTimeout` returns. So a `return` in it leaves the closure
// only, and `break` or `continue` cannot leave it.
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
        do {
            let answer = try await withTimeout(.seconds(2)) { try await call(5) }
            log("the call: \(answer)")
        } catch is TimeoutError {
            log("the call: TimeoutError")
        }
        total()

        section("Too slow, and it takes 1 s to clean up: the TimeoutError comes after 3 s")
        try await attempt("the call") {
            try await withTimeout(.seconds(2)) {
                do { return try await call(5) } catch {
                    // In a task that nobody has cancelled: see the lesson cancellation.
                    try await Task { try await sleep(for: .seconds(1)) }.value
                    throw error
                }
            }
        }
        total()

        section("In time: 1 s with a limit of 2 s, and the rest of the time is not waited for")
        try await attempt("the call") { try await withTimeout(.seconds(2)) { try await call(1) } }
        total()

        section("Nested, and the inner limit of 1 s comes first: the outer one goes on, with something else")
        try await attempt("all of it") {
            try await withTimeout(.seconds(5)) {
                try await attempt("the call") { try await withTimeout(.seconds(1)) { try await call(3) } }
                return try await call(2)
            }
        }
        total()

        section("Nested, and the outer limit of 2 s comes first: to the inner one that is no timeout")
        try await attempt("all of it") {
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
private func attempt(_ name: String, _ body: () async throws -> String) async throws {
    do {
        let answer = try await body()
        log("\(name): \(answer)")
    } catch is TimeoutError {
        log("\(name): TimeoutError")
    }
}
