// Lesson: a future is a result that is not there yet. Somebody sets it once, and all who await it go on.
//
// asyncio's Future has both sides in one object; here whoever makes the result keeps the `Promise`, and the
// others get its `future`. Tasks return results without them: futures are for the edge, where an answer
// comes from a callback. `callLater` is such an edge (loop.call_later). `withPromise` makes the promise,
// lends it to the callback and awaits its future: that is the part to copy. A callback that comes on another
// thread calls `promise.succeedThreadSafe(value)`; `succeed` is for the loop's thread.
//
// A promise that is dropped unset (nobody refers to it any more: Swift counts references, as CPython does)
// fails its future, where asyncio would let the awaiting task hang for ever.

import EventLoop

@MainActor
func futures() throws {
    title("A result that is set later")
    try Stage.run {
        section("Two tasks and a callback wait for one future, which is set after 2 s")
        let promise = Promise<Int>()
        let future = promise.future
        future.addDoneCallback { log("callback: \($0)") }
        let a = spawn(name: "A") {
            let value = try await future.value
            log("A got \(value)")
        }
        let b = spawn(name: "B") {
            let value = try await future.value
            log("B got \(value)")
        }
        EventLoop.current.callLater(.seconds(2)) {
            promise.succeed(42)
            log("set: those who wait are ready, and run in the loop's next round")
        }
        log("is it done? \(future.isDone)")
        try await a.value
        try await b.value
        let again = try await future.value
        log("is it done? \(future.isDone): whoever asks now has \(again) at once")

        section("From a callback to an await: the caller does not see the future")
        let found = try await address(of: "localhost")
        log("looked up: \(found)")
        do { _ = try await address(of: "nowhere") } catch { log("threw: \(error)") }

        section("A promise that is dropped before it is set")
        do { _ = try await forgotten() } catch { log("threw: \(error)") }
    }
    conclude("Await a future as often as you like; set it once.")
}

/// An async function around one with a callback.
@MainActor
private func address(of name: String) async throws -> String {
    try await withPromise { promise in
        lookUp(name) { address in
            if let address { promise.succeed(address) } else { promise.fail(UnknownName(name: name)) }
        }
    }
}

/// What many libraries have: a function that returns at once and calls back.
@MainActor
private func lookUp(_ name: String, whenDone: @escaping @MainActor (String?) -> Void) {
    EventLoop.current.callLater(.seconds(1)) { whenDone(name == "localhost" ? "127.0.0.1" : nil) }
}

private struct UnknownName: Error {
    let name: String
}

/// Lets its promise go, and awaits what that will never set.
@MainActor
private func forgotten() async throws -> Int {
    let future = Promise<Int>().future
    return try await future.value
}
