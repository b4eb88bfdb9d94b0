// Lesson: an `await` in a for loop waits for one page after another. To overlap them, start all, then await.
//
//     for url in urls:                          for url in urls {
//         pages.append(await get(url))              pages.append(try await get(url))
//                                               }
//     pages = await asyncio.gather(             let pages = try await gather(urls) { url in
//         *(get(url) for url in urls))              try await get(url)
//                                               }
//
// Both forms are asynchronous, and both leave the loop free for others. But the first one asks for a page
// only when it has the page before. Look at the times: four waits added up, against the longest of them.
//
// The server that the client talks to, over real sockets, is one more task of the same loop.

import EventLoop

@MainActor
func fetchPages() throws {
    title("Four pages: /bytes/8000/1 is 8000 bytes that take the server 1 s")
    let paths = ["/bytes/52000/2", "/bytes/1500/0.5", "/bytes/310000/3", "/bytes/8000/1"]
    try Stage.run {
        try await withHTTPServer { server in
            let urls = paths.map { path in HTTPURL(address: server, path: path) }

            section("Awaited in a for loop")
            for url in urls { _ = try await get(url) }
            let slow = total()

            section("Gathered: all requests leave at once, and the shortest wait ends first")
            let pages = try await gather(urls) { url in try await get(url) }
            let fast = total()

            section("What gather returned, in the order of the requests")
            for (url, page) in zip(urls, pages) { show("\(url.path)  \(page.body.count) bytes") }
            conclude("As long as the slowest page takes: \(Duration.speedUp(from: slow, to: fast)).")
        }
    }
}

@MainActor
private func get(_ url: HTTPURL) async throws -> HTTPResponse {
    log("\(url.path)  is asked for")
    let page = try await HTTPClient.get(url)
    log("\(url.path)  is there: \(page.body.count) bytes")
    return page
}
