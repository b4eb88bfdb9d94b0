// Lesson: a rate limit is a semaphore whose permits are not given back: they grow again with time.
//
// A semaphore says how many at once; a rate limit says how many in a second, however long each takes.
// Neither asyncio nor this library has one, because it is this short: a token bucket is a semaphore of so
// many tokens, and a task that adds one at every tick, unless the bucket is full. What was saved may be
// spent in a burst.

import EventLoop

@MainActor
func rateLimiting() throws {
    title("A bucket of 3 tokens, and a new one every 0.5 s")
    try Stage.run {
        let bucket = TokenBucket(size: 3, interval: .milliseconds(500))

        section("Eight requests at once: there are three tokens, and the others wait for theirs")
        try await request(1...8, with: bucket)
        total()

        section("A rest of 1.25 s, in which two tokens are saved; then three requests")
        try await sleep(for: .milliseconds(1250))
        try await request(9...11, with: bucket)
        total()

        bucket.close()
    }
    conclude("A burst of three, then two in a second, and nobody overtakes anybody.")
}

@MainActor
private func request(_ numbers: ClosedRange<Int>, with bucket: TokenBucket) async throws {
    try await gather(numbers) { number in
        try await bucket.take()
        log("request \(number)")
    }
}

@MainActor
private final class TokenBucket {
    private let tokens: Semaphore
    private let refilling: LoopTask<Void>

    init(size: Int, interval: Duration) {
        // A local, for the closure may not use self before all of it is set.
        let tokens = Semaphore(size)
        self.tokens = tokens
        refilling = spawn(name: "refilling") {
            // From deadline to deadline: a late tick does not make the next one late.
            var tick = EventLoop.current.now
            while true {
                tick = tick.advanced(by: interval)
                try await sleep(until: tick)
                if tokens.value < size { tokens.release() }
            }
        }
    }

    /// Waits for a token. Who is cancelled while waiting has taken none.
    func take() async throws {
        try await tokens.acquire()
    }

    func close() {
        refilling.cancel()
    }
}
