import TestSupport
import Testing

@testable import EventLoop

@Suite("CapacityLimiter", .timeLimit(.minutes(5)))
struct CapacityLimiterTests {
    /// Somebody who borrows without being a task.
    private final class Borrower: Sendable {}

    @Test("it counts what is lent, what is free and who waits")
    func counts() async throws {
        try await onLoop { _ in
            let limiter = CapacityLimiter(2)
            let (first, second, third) = (Borrower(), Borrower(), Borrower())
            #expect(limiter.total == 2 && limiter.available == 2 && limiter.borrowed == 0)
            try await limiter.acquire(for: first)
            #expect(limiter.tryAcquire(for: second))
            #expect(limiter.available == 0 && limiter.borrowed == 2)
            #expect(!limiter.tryAcquire(for: third))
            let waiting = spawn { try await limiter.acquire(for: third) }
            await turns(2)
            #expect(limiter.waitingCount == 1)
            limiter.release(for: first)
            #expect(limiter.waitingCount == 0 && limiter.borrowed == 2)
            try await waiting.value
            // Any task may release an object's permit.
            limiter.release(for: third)
            limiter.release(for: second)
            #expect(limiter.available == 2 && limiter.borrowed == 0)
        }
    }

    @Test("withPermit lends to the task, and to its children each their own")
    func tasks() async throws {
        try await onLoop { _ in
            let limiter = CapacityLimiter(3)
            let most = Recorder<Int>()
            let value = try await limiter.withPermit {
                try await gather(0..<10) { _ in
                    try await limiter.withPermit {
                        await turns()
                        most.add(limiter.borrowed)
                    }
                }
                return 7
            }
            #expect(value == 7)
            #expect(most.all.max() == 3)
            await #expect(throws: TestError("body")) {
                try await limiter.withPermit { throw TestError("body") }
            }
            try await limiter.acquire()
            limiter.release()
            #expect(limiter.tryAcquire())
            limiter.release()
            #expect(limiter.borrowed == 0)
        }
    }

    @Test("a higher total lets those who wait go on, in their order")
    func raised() async throws {
        try await onLoop { _ in
            let limiter = CapacityLimiter(0)
            let order = Recorder<Int>()
            let finish = Event()
            let tasks = (0..<5).map { number in
                spawn {
                    try await limiter.withPermit {
                        order.add(number)
                        try await finish.wait()
                    }
                }
            }
            await turns(2)
            #expect(limiter.waitingCount == 5)
            limiter.total = 2
            await turns(2)
            #expect(order.all == [0, 1])
            limiter.total = 4
            await turns(2)
            #expect(order.all == [0, 1, 2, 3])
            finish.set()
            for task in tasks { try await task.value }
            #expect(order.all == [0, 1, 2, 3, 4])
            #expect(limiter.available == 4)
        }
    }

    @Test("a lower total lets those who have a permit finish, and nobody else in meanwhile")
    func lowered() async throws {
        try await onLoop { _ in
            let limiter = CapacityLimiter(3)
            let borrowers = (0..<3).map { _ in Borrower() }
            for borrower in borrowers { try await limiter.acquire(for: borrower) }
            limiter.total = 1
            #expect(limiter.borrowed == 3 && limiter.available == 0)
            let waiting = spawn { try await limiter.withPermit {} }
            await turns(2)
            limiter.release(for: borrowers[0])
            limiter.release(for: borrowers[1])
            await turns(2)
            #expect(!waiting.isDone && limiter.borrowed == 1)
            limiter.release(for: borrowers[2])
            try await waiting.value
            #expect(limiter.available == 1)
        }
    }

    @Test("a total that is raised while too much is lent lends no more than it allows")
    func raisedWhileOversubscribed() async throws {
        try await onLoop { _ in
            let limiter = CapacityLimiter(4)
            let borrowers = (0..<4).map { _ in Borrower() }
            for borrower in borrowers { #expect(limiter.tryAcquire(for: borrower)) }
            let waiting = (0..<3).map { _ in spawn { try await limiter.withPermit {} } }
            await turns(2)
            limiter.total = 1
            limiter.total = 3
            #expect(limiter.borrowed == 4 && limiter.waitingCount == 3)
            limiter.total = 5
            #expect(limiter.borrowed == 5 && limiter.waitingCount == 2)
            limiter.total = .max
            for task in waiting { try await task.value }
            for borrower in borrowers { limiter.release(for: borrower) }
            limiter.total = 0
            #expect(limiter.borrowed == 0 && limiter.available == 0)
        }
    }

    @Test("between a release and the step of the first in line nobody else gets the permit")
    func noBarging() async throws {
        try await onLoop { _ in
            let limiter = CapacityLimiter(1)
            let (first, other) = (Borrower(), Borrower())
            try await limiter.acquire(for: first)
            let waiting = spawn { try await limiter.withPermit { limiter.borrowed } }
            await turns(2)
            limiter.release(for: first)
            #expect(!limiter.tryAcquire(for: other))
            let waitingValue = try await waiting.value
            #expect(waitingValue == 1)
        }
    }

    @Test("a waiter that is cancelled leaves, before and after the grant", arguments: TaskKind.allCases)
    func cancelledWaiter(kind: TaskKind) async throws {
        try await onLoop { loop in
            let limiter = CapacityLimiter(1)
            let (first, other) = (Borrower(), Borrower())
            try await limiter.acquire(for: first)
            let waiting = kind.start(on: loop) { try await limiter.acquire(for: other) }
            await turns(2)
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            #expect(limiter.waitingCount == 0)
            let granted = kind.start(on: loop) { try await limiter.acquire(for: other) }
            let next = kind.start(on: loop) { try await limiter.withPermit { 3 } }
            await turns(2)
            limiter.release(for: first)
            granted.cancel()
            await #expect(throws: CancellationError.self) { try await granted.value }
            let nextValue = try await next.value
            #expect(nextValue == 3)
            // The cancelled borrower is none any more, and may ask again.
            try await limiter.acquire(for: other)
            limiter.release(for: other)
            #expect(limiter.available == 1)
        }
    }

    @Test("an object that borrows is kept, so that no other takes its address")
    func keepsTheBorrower() async throws {
        try await onLoop { _ in
            let limiter = CapacityLimiter(1)
            weak var kept: Borrower?
            do {
                let borrower = Borrower()
                kept = borrower
                try await limiter.acquire(for: borrower)
            }
            #expect(kept != nil)
            limiter.release(for: kept)
            #expect(kept == nil)
        }
    }

    @Test("a borrower that asks twice traps with a sentence, even while permits are free")
    func askedTwice() async throws {
        let task = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { _ in
                let limiter = CapacityLimiter(10)
                try await limiter.withPermit { try await limiter.withPermit {} }
            }
        }
        #expect(task.sentence.contains("This borrower has a permit of this limiter, or waits for one"))
        let waiting = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { _ in
                let limiter = CapacityLimiter(0)
                let borrower = Borrower()
                spawn { try await limiter.acquire(for: borrower) }
                await turns(2)
                try await limiter.acquire(for: borrower)
            }
        }
        #expect(waiting.sentence.contains("This borrower has a permit of this limiter, or waits for one"))
    }

    @Test("a release by somebody who has no permit traps with a sentence")
    func foreignRelease() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { _ in
                let limiter = CapacityLimiter(1)
                try await limiter.withPermit {
                    try await spawn { limiter.release() }.value
                }
            }
        }
        #expect(result.sentence.contains("This borrower has no permit of this limiter"))
    }

    @Test("a borrower has to be named where no task is")
    func withoutATask() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { loop in
                let limiter = CapacityLimiter(1)
                loop.callSoon { _ = limiter.tryAcquire() }
                await turns(2)
            }
        }
        #expect(result.sentence.contains("name the borrower"))
    }

    @Test("a total below zero traps with a sentence")
    func negative() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { _ in CapacityLimiter(1).total = -1 }
        }
        #expect(result.sentence.contains("A limiter cannot have a total of -1"))
    }
}
