// Code of the article about testing with virtual time.

import EventLoop
import EventLoopTesting
import TestSupport
import Testing

@Suite("In the guide: virtual time", .timeLimit(.minutes(5)))
struct VirtualTimeSnippets {
    @Test("a virtual clock leaps")
    func leaps() throws {
        // snippet.virtual
        let loop = try EventLoop(clock: .virtual)
        let page = try loop.run {
            try await withTimeout(.seconds(3600)) { try await fetch("A", taking: .seconds(3599)) }
        }
        #expect(loop.now == EventLoop.Instant(nanoseconds: 3_599_000_000_000))
        try loop.close()
        // snippet.end
        #expect(page == "A done")
    }

    @Test("waitAllTasksBlocked returns before time leaps")
    func atRest() throws {
        try virtually {
            let log = Log()
            // snippet.wait_all_tasks_blocked
            let lock = Lock()
            let first = spawn { try await lock.withLock { try await sleep(for: .seconds(60)) } }
            let second = spawn { try await lock.withLock { log.add("second") } }
            try await waitAllTasksBlocked()
            #expect(lock.isLocked && !first.isDone && log.lines.isEmpty)
            try await second.value
            #expect(log.lines == ["second"])
            // snippet.end
            #expect(EventLoop.current.now.nanoseconds == 60_000_000_000)
        }
    }

    @Test("a manual clock stands until it is moved")
    func byHand() throws {
        // snippet.manual
        let loop = try EventLoop(clock: .manual)
        try loop.run {
            let task = spawn { try await fetch("A", taking: .seconds(10)) }
            try await loop.advance(by: .seconds(9))
            #expect(!task.isDone)
            try await loop.advance(by: .seconds(1))
            #expect(task.isDone)
        }
        try loop.close()
        // snippet.end
    }

    @Test("a seed draws the order of what is ready")
    func seeds() throws {
        // snippet.seeds
        func order(seed: UInt64) throws -> [String] {
            let loop = try EventLoop(clock: .virtual, seed: seed)
            let lines = try loop.run {
                let log = Log()
                try await gather(["A", "B", "C"]) { name in
                    await yield()
                    log.add(name)
                }
                return log.lines
            }
            try loop.close()
            return lines
        }
        let orders = Set(try (0..<100).map { try order(seed: $0) })
        #expect(orders.count == 6)
        #expect(try order(seed: 42) == order(seed: 42))
        // snippet.end
    }

    @Test("a seed shows the update that gets lost")
    func explore() async throws {
        #expect(try EventLoop(clock: .virtual).run { try await transferTwice() } == 30)
        try await onThread {
            // snippet.explore
            let failure = #expect(throws: SeedFailure.self) {
                try EventLoop.explore(seeds: 1000) {
                    let balance = try await transferTwice()
                    if balance != 30 { throw Wrong(balance: balance) }
                }
            }
            // snippet.end
            #expect(failure?.error is Wrong)
        }
    }

    // snippet.trait
    @Test(.virtualTime(seeds: 1000))
    func waits() async throws {
        let task = spawn { try await fetch("A", taking: .seconds(3600)) }
        try await sleep(for: .seconds(3599))
        #expect(!task.isDone)
        #expect(try await task.value == "A done")
    }
    // snippet.end
}

private struct Wrong: Error {
    let balance: Int
}

// snippet.lost_update
func transferTwice() async throws -> Int {
    var balance = 0
    try await gather(
        {
            let before = balance
            await yield()
            balance = before + 10
        },
        {
            await yield()
            let before = balance
            await yield()
            balance = before + 20
        })
    return balance
}
// snippet.end
