// Lesson: what sync-async shows for sleeps holds for sockets, which is what an event loop is for.
//
//     pages = await asyncio.gather(             let pages = try await gather(urls) { url in
//         *map(get, urls))                          try await get(url)
//                                               }
//
// Five pages come from a server on this machine that takes 1 or 2 s for each. Blocking sockets (Python's
// requests) wait for one answer after another: 7 s. On the loop all five requests are under way at once,
// and one system call waits for all their answers: 2 s, as long as the slowest takes. Answers come in any
// order; `gather` returns them in the order of the array.
//
// Neither asyncio nor this library has an HTTP client; the ones here are a few lines for these lessons (see
// HTTP/HTTPClient.swift). `completed` needs no lock: main-actor code runs on one thread, and the compiler
// checks it. The server runs on another loop, in another thread, so that it can serve a client that blocks
// this one. `Stage.blocking` runs its closure, and draws the chart's row.

import EventLoop

@MainActor
func fetch() throws {
    title("Five pages from an HTTP server that takes 1, 2, 1, 2 and 1 s to answer")
    let server = try ServerThread()
    defer { server.stop() }
    let urls = [1, 2, 1, 2, 1].enumerated().map { index, seconds in
        server.url("/delay/\(seconds)?page=\(index + 1)")
    }

    section("One after another, with blocking sockets")
    for url in urls {
        log("\(url)  starts")
        log(describe(url, try Stage.blocking(url.path) { try BlockingHTTPClient.get(url) }))
    }
    let blocking = total()

    section("All at once, on the event loop, in the order of completion")
    var completed = 0
    let responses = try Stage.run {
        try await gather(urls) { url in
            log("\(url)  starts")
            let response = try await HTTPClient.get(url)
            completed += 1
            log(describe(url, response) + "  (\(completed) of \(urls.count))")
            return response
        }
    }
    let onLoop = total()

    section("What gather returned, in the order of the requests")
    for (url, response) in zip(urls, responses) { show(describe(url, response)) }
    conclude("Speed-up: \(Duration.speedUp(from: blocking, to: onLoop))")
}

private func describe(_ url: HTTPURL, _ response: HTTPResponse) -> String {
    "\(url)  \(Console.styled("\(response.status)", .green))  \(response.body.count) bytes"
}
