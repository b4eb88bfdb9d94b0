// Lesson: pages fail. A failure is a value, kept beside the pages that came, and told by its type.
//
//     results = await asyncio.gather(           let results = await gatherResults(urls) { url in
//         *map(get, urls),                          try await get(url)
//         return_exceptions=True)               }
//     for result in results:                    for result in results {
//         match result:                             switch result {
//             case TimeoutError(): ...              case .failure(is TimeoutError): …
//             case Page(): ...                      case .success(let page): …
//
// In Python the list has pages and exceptions side by side, and nothing reminds you to look. Here each
// entry is a `Result`, and the compiler asks for both cases before it lets you at the page.
//
// A time limit is for one page, not for all: the request that runs out of time is cancelled, its socket is
// closed, and the others know nothing of it. Compare the lesson errors, where one failure ends all
// (`gather`). `withTimeout` runs its body as a child, hence the second row for each page in the chart.

import EventLoop

@MainActor
func failingFetch() throws {
    title("Five pages, of which three fail; each may take 3 s at most")
    try Stage.run {
        try await withHTTPServer { server in
            let paths = ["/bytes/2000/1", "/no/such/page", "/delay/60", "/bytes/8000/2"]
            // Nobody listens on port 1.
            let nobody = try SocketAddress(ip: "127.0.0.1", port: 1)
            let urls =
                paths.map { path in HTTPURL(address: server, path: path) } + [
                    HTTPURL(address: nobody, path: "/nobody/here")
                ]

            section("As they end")
            let results = await gatherResults(urls) { url in
                do {
                    let page = try await withTimeout(.seconds(3)) { try await getPage(url) }
                    log("\(url.path)  is there")
                    return page
                } catch {
                    log("\(url.path)  has failed: \(type(of: error))")
                    throw error
                }
            }
            total()

            section("What gatherResults returned, in the order of the requests")
            for (url, result) in zip(urls, results) { show("\(url.path)  \(describe(result))") }
        }
    }
    conclude("Three failures, two pages, and nobody waited longer than 3 s.")
}

/// A page that is not there is an answer to the client, but a failure to us; aiohttp's raise_for_status.
private struct BadStatus: Error {
    let status: Int
}

@MainActor
private func getPage(_ url: HTTPURL) async throws -> HTTPResponse {
    let response = try await HTTPClient.get(url)
    guard response.status == 200 else { throw BadStatus(status: response.status) }
    return response
}

private func describe(_ result: Result<HTTPResponse, any Error>) -> String {
    switch result {
    case .success(let page): "\(page.body.count) bytes"
    case .failure(let error as BadStatus): "failed: the server says \(error.status)"
    case .failure(is TimeoutError): "failed: no answer in time"
    case .failure(let error as SystemError): "failed: the system says \(error)"
    case .failure(let error): "failed: \(error)"
    }
}
