// Lesson: the same holds for sockets, which is what an event loop is for.
//
// Five pages come from a server on this machine that takes 1 or 2 s for each; it runs on another loop, in
// another thread. Blocking sockets wait for one answer after another. On the loop all five requests are
// under way at once, and one system call waits for all their answers: `gather` of an array is
// asyncio.gather(*map(fetch, urls)). Answers come in any order; it returns them in the order of the array.
//
// `completed` needs no lock: main-actor code runs on one thread, and the compiler checks it.

import EventLoop

@MainActor
func fetch() throws {
    title("Five pages from an HTTP server that takes 1, 2, 1, 2 and 1 s to answer")
    let server = try ServerThread()
    defer { server.stop() }
    let address = try SocketAddress(ip: "127.0.0.1", port: server.port)
    let urls = [1, 2, 1, 2, 1].enumerated().map { index, seconds in
        let delay = Stage.lapsed(.seconds(seconds)) / .seconds(1)
        return HTTPURL(address: address, path: "/delay/\(delay)?page=\(index + 1)")
    }

    section("One after another, with blocking sockets")
    for url in urls {
        log("\(url)  starts")
        log(describe(url, try BlockingHTTPClient.get(url)))
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
    for (url, response) in zip(urls, responses) { print("             " + describe(url, response)) }
    conclude("Speed-up: \(Duration.speedUp(from: blocking, to: onLoop))")
}

private func describe(_ url: HTTPURL, _ response: HTTPResponse) -> String {
    "\(url)  \(Console.styled("\(response.status)", .green))  \(response.body.count) bytes"
}
