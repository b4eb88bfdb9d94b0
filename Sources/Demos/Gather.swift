// Lesson: `gather` gives results in the order of its operations, whichever ends first.
//
// On the first error it cancels the others, waits for them to end, and throws: no task is left behind
// (asyncio's gather lets them run on). `gatherResults` is gather with return_exceptions=True: each result
// is a value or an error, and no error disturbs the others.

import EventLoop

private struct Failure: Error, CustomStringConvertible {
    let description: String
}

@MainActor
func gatherDemo() throws {
    try Stage.run {
        section("gather: values in the order of the operations")
        let (number, text) = try await gather(
            { try await answer(42, after: .seconds(1)) },
            { try await answer("text", after: .seconds(0.5)) })
        log("returned \(number) and \(text)")

        section("gather: the first error ends the others")
        do {
            try await gather(
                { try await answer("slow", after: .seconds(5)) },
                { try await fail(after: .seconds(0.5)) })
        } catch {
            log("threw \(error)")
        }

        section("gatherResults: values and errors, side by side")
        let results = await gatherResults([1, 2, 3]) { number in
            if number == 2 { return try await fail(after: .seconds(0.5)) }
            return try await answer("number \(number)", after: .seconds(1))
        }
        for result in results { log("\(result)") }

        section("gather with a limit: five operations, two at a time")
        try await gather(1...5, limit: 2) { number in
            try await answer("number \(number)", after: .seconds(0.5))
        }
    }
}

@MainActor
private func answer<Value>(_ value: Value, after delay: Duration) async throws -> Value {
    do {
        try await sleep(for: delay)
    } catch {
        log("\(value) is cancelled")
        throw error
    }
    log("\(value) is there")
    return value
}

@MainActor
private func fail(after delay: Duration) async throws -> String {
    try await sleep(for: delay)
    log("something fails")
    throw Failure(description: "an error")
}
