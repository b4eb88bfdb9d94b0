import Testing

@testable import EventLoop

/// Locks, permits, events and barriers, with their waiters cancelled wherever they are: nothing gets lost,
/// and nobody waits for ever.
@Suite("synchronisation in chaos", .timeLimit(.minutes(5)))
struct SyncChaosTests {
    @Test("a lock is one task's at a time, and free in the end")
    func lock() async throws {
        try await chaos { chaos in
            let lock = Lock()
            var inside = 0
            for _ in 0..<5 {
                chaos.worker {
                    for _ in 0..<2 {
                        if lock.tryAcquire() {
                            lock.release()
                        }
                        try await lock.withLock {
                            inside += 1
                            defer { inside -= 1 }
                            try chaos.check(inside == 1, "it is one task's")
                            try await chaos.pause()
                        }
                    }
                }
            }
            try await chaos.strikeAndEnd()
            try chaos.check(!lock.isLocked, "it is free")
        }
    }

    @Test("a semaphore keeps its permits")
    func semaphore() async throws {
        try await chaos { chaos in
            let permits = chaos.number(1...3)
            let semaphore = BoundedSemaphore(permits)
            var inside = 0
            for _ in 0..<6 {
                chaos.worker {
                    if chaos.chance(1, in: 4), semaphore.tryAcquire() {
                        await chaos.turns()
                        semaphore.release()
                    }
                    try await semaphore.withPermit {
                        inside += 1
                        defer { inside -= 1 }
                        try chaos.check(inside <= permits, "no more than there are permits")
                        try await chaos.pause()
                    }
                }
            }
            try await chaos.strikeAndEnd()
            try chaos.check(semaphore.value == permits, "\(semaphore.value) of \(permits) are free")
        }
    }

    @Test("a permit that is released reaches a waiter, however many of them are cancelled")
    func handedOver() async throws {
        try await chaos { chaos in
            let semaphore = Semaphore(0)
            var taken = 0
            for _ in 0..<6 {
                chaos.worker {
                    try await semaphore.acquire()
                    taken += 1
                }
            }
            let releaser = chaos.helper {
                for _ in 0..<6 {
                    try await chaos.pause()
                    semaphore.release()
                }
            }
            try await chaos.strikeAndEnd()
            try await releaser.end()
            try chaos.check(taken + semaphore.value == 6, "\(taken) taken, \(semaphore.value) free")
        }
    }

    @Test("a capacity limiter's borrowers give everything back, whatever its total was meanwhile")
    func limiter() async throws {
        try await chaos { chaos in
            let limiter = CapacityLimiter(2)
            for _ in 0..<6 {
                chaos.worker {
                    try await limiter.withPermit { try await chaos.pause() }
                    let object = Tracked(Counter())
                    try await limiter.withPermit(for: object) { await chaos.turns() }
                }
            }
            let resizer = chaos.helper {
                for _ in 0..<4 {
                    try await chaos.pause()
                    limiter.total = chaos.number(0...3)
                }
                limiter.total = 2
            }
            try await chaos.strikeAndEnd()
            try await resizer.end()
            try chaos.check(limiter.borrowed == 0 && limiter.available == 2, "all is back")
        }
    }

    @Test("an event reaches all who wait for it")
    func event() async throws {
        try await chaos { chaos in
            let event = Event()
            for _ in 0..<6 {
                chaos.worker {
                    try await chaos.pause()
                    try await event.wait()
                    try await chaos.pause()
                    try await event.wait()
                }
            }
            let setter = chaos.helper {
                for _ in 0..<3 {
                    try await chaos.pause()
                    event.set()
                    await chaos.turns()
                    event.clear()
                }
                event.set()
            }
            try await chaos.strikeAndEnd()
            try await setter.end()
        }
    }

    @Test("a notification is somebody's who can use it: no item lies there while a task waits for one")
    func condition() async throws {
        try await chaos { chaos in
            let condition = Condition()
            var (items, used, waiting) = (0, 0, 0)
            var isOver = false
            for _ in 0..<5 {
                chaos.worker {
                    try await condition.withLock {
                        waiting += 1
                        defer { waiting -= 1 }
                        try await condition.wait(until: { items > 0 || isOver })
                        guard items > 0 else { return }
                        items -= 1
                        used += 1
                    }
                }
            }
            let producer = chaos.helper {
                for _ in 0..<3 {
                    await chaos.turns()
                    try await condition.withLock {
                        items += 1
                        condition.notify()
                    }
                }
            }
            try await chaos.strike()
            try await producer.end()
            try await waitAllTasksBlocked()
            try chaos.check(items == 0 || waiting == 0, "\(items) items and \(waiting) who wait for one")
            isOver = true
            try await condition.withLock { condition.notifyAll() }
            try await chaos.end(chaos.workers)
            try chaos.check(used + items == 3, "\(used) used, \(items) left")
            try chaos.check(!condition.lock.isLocked, "the lock is free")
        }
    }

    @Test("a barrier lets as many pass as it is for, with a number for each")
    func barrier() async throws {
        try await chaos { chaos in
            let barrier = Barrier(3)
            var passed: [Int] = []
            for _ in 0..<7 {
                chaos.worker {
                    try await chaos.pause()
                    passed.append(try await barrier.wait())
                }
            }
            try await chaos.strike()
            var substitutes: [Chaos.Worker] = []
            try await sleep(for: .seconds(1))
            try await waitAllTasksBlocked()
            while barrier.waitingCount > 0 {
                substitutes.append(chaos.helper { passed.append(try await barrier.wait()) })
                try await waitAllTasksBlocked()
            }
            try await chaos.end(chaos.workers + substitutes)
            let counts = (0..<3).map { number in passed.count { $0 == number } }
            try chaos.check(counts == Array(repeating: passed.count / 3, count: 3), "\(passed)")
        }
    }
}
