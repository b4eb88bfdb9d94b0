// Code of the guide: locks and the like.

import EventLoop
import Testing

@Suite("In the guide: synchronisation", .timeLimit(.minutes(5)))
struct SynchronisationSnippets {
    @Test("a lock lets one task at a time through")
    func lock() throws {
        try virtually {
            // snippet.Lock
            let lock = Lock()
            // snippet.end
            let log = Log()
            func write(_ name: String) async throws {
                // snippet.async_with_lock
                try await lock.withLock { log.add(try await fetch(name)) }
                // snippet.end
            }
            let time = try await elapsed { try await gather(["A", "B"]) { try await write($0) } }
            #expect(time == .seconds(2) && log.lines == ["A done", "B done"])
            // snippet.Lock.acquire
            try await lock.acquire()
            // snippet.end
            // snippet.Lock.locked
            let isTaken = lock.isLocked
            // snippet.end
            #expect(isTaken && !lock.tryAcquire())
            // snippet.Lock.release
            lock.release()
            // snippet.end
            #expect(!lock.isLocked)
        }
    }

    @Test("an event lets go on who waits for it")
    func event() throws {
        try virtually {
            // snippet.Event
            let event = Event()
            // snippet.end
            let log = Log()
            let task = spawn {
                // snippet.Event.wait
                try await event.wait()
                // snippet.end
                log.add("went on")
            }
            await yield()
            #expect(log.lines == [])
            // snippet.Event.set
            event.set()
            // snippet.end
            // snippet.Event.clear
            event.clear()
            // snippet.end
            // snippet.Event.is_set
            let isSet = event.isSet
            // snippet.end
            try await task.value
            #expect(log.lines == ["went on"] && !isSet)
        }
    }

    @Test("a condition guards state, and tells of changes")
    func condition() throws {
        try virtually {
            // snippet.Condition
            let condition = Condition()
            // snippet.end
            let stock = Stock()
            let taker = spawn {
                // snippet.Condition.wait_for
                try await condition.withLock {
                    try await condition.wait(until: { !stock.items.isEmpty })
                    return stock.items.removeFirst()
                }
                // snippet.end
            }
            await yield()
            // snippet.Condition.notify
            try await condition.withLock {
                stock.items.append("A")
                condition.notify()
            }
            // snippet.end
            let taken = try await taker.value
            #expect(taken == "A" && stock.items.isEmpty)
            try await condition.withLock {
                // snippet.Condition.notify_all
                condition.notifyAll()
                // snippet.end
            }
        }
    }

    @Test("a semaphore lets a number of tasks through")
    func semaphore() throws {
        try virtually {
            // snippet.Semaphore
            let semaphore = Semaphore(2)
            // snippet.end
            let time = try await elapsed {
                try await gather(["A", "B", "C", "D"]) { name in
                    // snippet.async_with_semaphore
                    try await semaphore.withPermit { try await fetch(name) }
                    // snippet.end
                }
            }
            #expect(time == .seconds(2))
            try await semaphore.acquire()
            try await semaphore.acquire()
            // snippet.Semaphore.locked
            let isExhausted = semaphore.isExhausted
            // snippet.end
            #expect(isExhausted)
            semaphore.release()
            semaphore.release()
        }
    }

    @Test("a bounded semaphore traps on a release too many")
    func boundedSemaphore() async throws {
        await #expect(processExitsWith: .failure) {
            try EventLoop().run {
                // snippet.BoundedSemaphore
                let semaphore = BoundedSemaphore(2)
                // snippet.end
                semaphore.release()
            }
        }
    }

    @Test("a barrier lets tasks go on together")
    func barrier() throws {
        try virtually {
            // snippet.Barrier
            let barrier = Barrier(2)
            // snippet.end
            let log = Log()
            try await gather(["A", "B"]) { name in
                // snippet.Barrier.wait
                let position = try await barrier.wait()
                // snippet.end
                log.add("\(name) \(position)")
            }
            #expect(log.lines.sorted() == ["A 0", "B 1"])
            let waiter = spawn { try await barrier.wait() }
            await yield()
            // snippet.Barrier.abort
            barrier.abort()
            // snippet.end
            await #expect(throws: BrokenBarrier.self) { try await waiter.value }
            // snippet.Barrier.reset
            barrier.reset()
            // snippet.end
            #expect(!barrier.isBroken)
        }
    }

    @Test("a limiter's total can change")
    func limiter() throws {
        try virtually {
            // snippet.CapacityLimiter
            let limiter = CapacityLimiter(40)
            let page = try await limiter.withPermit { try await fetch("A") }
            limiter.total = 20
            // snippet.end
            #expect(page == "A done" && limiter.available == 20)
        }
    }
}
