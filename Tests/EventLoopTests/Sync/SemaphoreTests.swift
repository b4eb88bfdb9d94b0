import TestSupport
import Testing

@testable import EventLoop

@Suite("Semaphore and BoundedSemaphore", .timeLimit(.minutes(5)))
struct SemaphoreTests {
    @Test("as many as there are permits go through, the next waits")
    func permits() async throws {
        try await onLoop { _ in
            let semaphore = Semaphore(2)
            #expect(semaphore.value == 2)
            try await semaphore.acquire()
            #expect(!semaphore.isExhausted)
            #expect(semaphore.tryAcquire())
            #expect(semaphore.isExhausted)
            #expect(!semaphore.tryAcquire())
            let third = spawn { try await semaphore.acquire() }
            await turns(3)
            #expect(!third.isDone)
            semaphore.release()
            try await third.value
            #expect(semaphore.value == 0)
            semaphore.release()
            semaphore.release()
            semaphore.release()
            #expect(semaphore.value == 3)
        }
    }

    @Test("tasks get permits in the order in which they asked")
    func order() async throws {
        try await onLoop { _ in
            let semaphore = Semaphore(0)
            let order = Recorder<Int>()
            for number in 0..<20 {
                spawn {
                    try await semaphore.acquire()
                    order.add(number)
                }
            }
            await turns(2)
            for released in 0..<20 {
                semaphore.release()
                await turns(2)
                #expect(order.all == Array(0...released))
            }
        }
    }

    @Test("never more tasks than permits are within withPermit")
    func limit() async throws {
        try await onLoop { _ in
            let semaphore = BoundedSemaphore(3)
            let (inside, most) = (Counter(), Recorder<Int>())
            try await gather(0..<20) { number in
                try await semaphore.withPermit {
                    inside.increment()
                    most.add(inside.value)
                    await turns(number % 4 + 1)
                    inside.decrement()
                }
            }
            #expect(most.all.max() == 3)
            #expect(semaphore.value == 3)
        }
    }

    @Test("between a release and the step of the first in line nobody else gets the permit")
    func noBarging() async throws {
        try await onLoop { _ in
            let semaphore = Semaphore(1)
            let order = Recorder<String>()
            try await semaphore.acquire()
            let waiting = spawn {
                try await semaphore.withPermit { order.add("waiting") }
            }
            await turns(2)
            semaphore.release()
            #expect(semaphore.isExhausted)
            #expect(!semaphore.tryAcquire())
            try await semaphore.withPermit { order.add("newcomer") }
            try await waiting.value
            #expect(order.all == ["waiting", "newcomer"])
        }
    }

    @Test("a waiter that is cancelled leaves the line to the others", arguments: TaskKind.allCases)
    func cancelledWaiter(kind: TaskKind) async throws {
        try await onLoop { loop in
            let semaphore = Semaphore(0)
            let first = kind.start(on: loop) { try await semaphore.acquire() }
            let second = kind.start(on: loop) { try await semaphore.acquire() }
            await turns(2)
            first.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
            semaphore.release()
            try await second.value
            #expect(semaphore.value == 0)
        }
    }

    @Test("a permit given to a waiter that is cancelled then goes to the next", arguments: TaskKind.allCases)
    func cancelledAfterTheGrant(kind: TaskKind) async throws {
        try await onLoop { loop in
            let semaphore = Semaphore(1)
            try await semaphore.acquire()
            let first = kind.start(on: loop) { try await semaphore.acquire() }
            let second = kind.start(on: loop) { try await semaphore.acquire() }
            await turns(2)
            semaphore.release()
            first.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
            try await second.value
            semaphore.release()
            #expect(semaphore.value == 1)
        }
    }

    @Test("permits come back when all waiters are cancelled in the step that released them")
    func allCancelledAfterTheGrant() async throws {
        try await onLoop { _ in
            let semaphore = BoundedSemaphore(3)
            for _ in 0..<3 { try await semaphore.acquire() }
            let tasks = (0..<8).map { _ in spawn { try await semaphore.acquire() } }
            await turns(2)
            for _ in 0..<3 { semaphore.release() }
            for task in tasks { task.cancel() }
            for task in tasks {
                await #expect(throws: CancellationError.self) { try await task.value }
            }
            #expect(semaphore.value == 3)
        }
    }

    @Test("a permit may be released by another task, and where none was acquired")
    func releasedElsewhere() async throws {
        try await onLoop { loop in
            let semaphore = Semaphore(0)
            loop.callSoon { semaphore.release() }
            try await semaphore.acquire()
            spawn { semaphore.release() }
            try await semaphore.acquire()
        }
    }

    @Test("withPermit returns the body's value, and throws its error, and is over then")
    func valueAndError() async throws {
        try await onLoop { _ in
            let (plain, bounded) = (Semaphore(1), BoundedSemaphore(1))
            let plainValue = try await plain.withPermit { plain.value }
            #expect(plainValue == 0)
            let boundedValue = try await bounded.withPermit { bounded.value }
            #expect(boundedValue == 0)
            await #expect(throws: TestError("body")) {
                try await plain.withPermit { throw TestError("body") }
            }
            await #expect(throws: TestError("body")) {
                try await bounded.withPermit { throw TestError("body") }
            }
            #expect(plain.value == 1 && bounded.value == 1)
        }
    }

    @Test("a semaphore that is never exhausted lets others go first, and notices a cancellation")
    func budget() async throws {
        try await onLoop { _ in
            let semaphore = BoundedSemaphore(1)
            let task = spawn {
                while true { try await semaphore.withPermit {} }
            }
            await turns(2)
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(semaphore.value == 1)
        }
    }

    @Test("a bounded semaphore traps at a release too many")
    func releaseTooMany() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { _ in
                let semaphore = BoundedSemaphore(2)
                try await semaphore.acquire()
                semaphore.release()
                semaphore.release()
            }
        }
        #expect(result.sentence.contains("All 2 permits of this semaphore are free"))
    }

    @Test("a semaphore with fewer than no permits traps with a sentence")
    func negative() async throws {
        for result in [
            try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                try await onLoop { _ in _ = Semaphore(-1) }
            },
            try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                try await onLoop { _ in _ = BoundedSemaphore(-1) }
            },
        ] {
            #expect(result.sentence.contains("A semaphore cannot begin with -1 permits"))
        }
    }

    @Test("a semaphore on a wrong thread traps with a sentence")
    func wrongThread() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { _ in
                let semaphore = Semaphore(1)
                try await onThread { semaphore.release() }
            }
        }
        #expect(result.sentence.contains("Semaphore.release was called while another thread runs"))
    }
}
