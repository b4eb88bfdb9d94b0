// Lesson: all requests at once are quick, and rude. A limit costs time and saves connections.
//
//     semaphore = asyncio.Semaphore(2)
//     async def get_politely(url):              try await gather(urls, limit: 2) { url in
//         async with semaphore:                     try await get(url)
//             return await get(url)             }
//     await asyncio.gather(*map(get_politely, urls))
//
// `gather` has the limit built in. It also starts no more than two tasks, the lanes of the chart, which take
// one page after another; with the semaphore all eight are started, and six wait. The semaphore is for what
// several places share: here two gathers, and two connections for both of them.
//
// An observer looks how many requests are under way, at 0.5 s, then once a second: look at its lines beside
// the totals.

import EventLoop

@MainActor
func limitedFetch() throws {
    title("Eight pages, each of which takes the server 1 s")
    try Stage.run {
        try await withHTTPServer { server in
            let load = Load(on: server)

            section("All at once")
            try await load.observe {
                try await gather(1...8) { page in try await load.get(page) }
            }

            section("gather with a limit of 2")
            try await load.observe {
                try await gather(1...8, limit: 2) { page in try await load.get(page) }
            }

            section("Two gathers of four pages each, and a semaphore of 2 for both")
            let semaphore = Semaphore(2)
            let getPolitely = { page in try await semaphore.withPermit { try await load.get(page) } }
            try await load.observe {
                try await gather(
                    { try await gather(1...4) { page in try await getPolitely(page) } },
                    { try await gather(5...8) { page in try await getPolitely(page) } })
            }
        }
    }
    conclude("A quarter of the connections, four times the time. How much of either is up to you.")
}

@MainActor
private final class Load {
    private let server: SocketAddress
    private var underWay = 0
    private var done = 0

    init(on server: SocketAddress) {
        self.server = server
    }

    func get(_ page: Int) async throws {
        underWay += 1
        defer { underWay -= 1 }
        _ = try await HTTPClient.get(HTTPURL(address: server, path: "/delay/1?page=\(page)"))
        done += 1
    }

    func observe(_ body: () async throws -> Void) async throws {
        done = 0
        let observer = spawn(name: "observer") {
            try await sleep(for: .milliseconds(500))
            while true {
                log("\(self.underWay) under way, \(self.done) done")
                try await sleep(for: .seconds(1))
            }
        }
        defer { observer.cancel() }
        try await body()
        total()
    }
}
