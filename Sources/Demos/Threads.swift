// Lesson: code that blocks need not be rewritten: a thread does it, and a task awaits the thread.
//
//     await asyncio.to_thread(get, url)         try await toThread { try get(url) }
//
// `get` here is an HTTP client with blocking sockets, as it might come from a library that knows no event
// loop: while it waits for an answer, its thread can do nothing else. On the loop's own thread that would
// stop everything (see blocking-the-loop). In the pool's threads it stops nobody, which the ticks show.
//
// It does not make such code as cheap as a task: a waiting thread has a stack and an entry in the kernel's
// scheduler, so a pool has few of them (4 more than there are cores, and 32 at most, as in Python), and
// whoever comes later waits for one to be free. Nor can a thread be interrupted: cancelling the await leaves
// its work running, and drops the result.
//
// What goes into the closure and what comes back crosses threads. Copy values (numbers, strings, structs)
// into it; the compiler rejects objects that both threads could change, with "Sendable" in its message.
//
// (`Stage.lapsed` makes times shorter when the lesson is run with --fast.)

import EventLoop

@MainActor
func threads() throws {
    title("Three HTTP requests with blocking sockets; the server takes 1, 2 and 3 s")
    let server = try ServerThread()
    defer { server.stop() }
    let urls = [1, 2, 3].map { seconds in server.url("/delay/\(seconds)") }

    section("One after another, in the only thread")
    for url in urls {
        let response = try Stage.blocking(url.path) { try BlockingHTTPClient.get(url) }
        log("\(url.path)  \(response.status)")
    }
    let blocking = total()

    section("Each in a thread of the pool, and the loop is free meanwhile")
    try Stage.run {
        let ticks = spawn(name: "ticks") {
            try await sleep(for: Stage.lapsed(.milliseconds(500)))
            while true {
                log("tick")
                try await sleep(for: Stage.lapsed(.seconds(1)))
            }
        }
        try await gather(urls) { url in
            let response = try await toThread { try BlockingHTTPClient.get(url) }
            log("\(url.path)  \(response.status)")
        }
        ticks.cancel()
    }
    let inThreads = total()
    conclude("For what cannot await, a thread can wait: \(Duration.speedUp(from: blocking, to: inThreads)).")
}
