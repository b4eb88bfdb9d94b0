import TestSupport
import Testing

@testable import EventLoop

@Suite("Lock", .timeLimit(.minutes(5)))
struct LockTests {
    @Test("a free lock is taken at once, a taken one is not, and a release makes it free")
    func acquireAndRelease() async throws {
        try await onLoop { _ in
            let lock = Lock()
            #expect(!lock.isLocked)
            try await lock.acquire()
            #expect(lock.isLocked)
            #expect(!lock.tryAcquire())
            lock.release()
            #expect(!lock.isLocked)
            #expect(lock.tryAcquire())
            lock.release()
        }
    }

    @Test("tasks get the lock in the order in which they asked")
    func order() async throws {
        try await onLoop { _ in
            let lock = Lock()
            let order = Recorder<Int>()
            try await lock.acquire()
            let tasks = (0..<50).map { number in
                spawn {
                    try await lock.withLock {
                        order.add(number)
                        await turns(number % 3)
                    }
                }
            }
            await turns(2)
            #expect(order.count == 0)
            lock.release()
            for task in tasks { try await task.value }
            #expect(order.all == Array(0..<50))
            #expect(!lock.isLocked)
        }
    }

    @Test("only one task at a time is in withLock")
    func exclusion() async throws {
        try await onLoop { _ in
            let lock = Lock()
            let (inside, most) = (Counter(), Recorder<Int>())
            try await gather(0..<20) { _ in
                for _ in 0..<5 {
                    try await lock.withLock {
                        inside.increment()
                        await turns()
                        most.add(inside.value)
                        inside.decrement()
                    }
                    await turns()
                }
            }
            #expect(most.all == Array(repeating: 1, count: 100))
        }
    }

    @Test("between a release and the step of the first in line nobody else gets the lock")
    func noBarging() async throws {
        try await onLoop { _ in
            let lock = Lock()
            let order = Recorder<String>()
            try await lock.acquire()
            let waiting = spawn { try await lock.withLock { order.add("waiting") } }
            await turns(2)
            lock.release()
            #expect(lock.isLocked)
            #expect(!lock.tryAcquire())
            try await lock.withLock { order.add("newcomer") }
            try await waiting.value
            #expect(order.all == ["waiting", "newcomer"])
        }
    }

    @Test("a waiter that is cancelled leaves the line to the others", arguments: TaskKind.allCases)
    func cancelledWaiter(kind: TaskKind) async throws {
        try await onLoop { loop in
            let lock = Lock()
            let order = Recorder<Int>()
            try await lock.acquire()
            let tasks = (0..<3).map { number in
                kind.start(on: loop) { try await lock.withLock { order.add(number) } }
            }
            await turns(2)
            tasks[1].cancel()
            await #expect(throws: CancellationError.self) { try await tasks[1].value }
            #expect(lock.isLocked)
            lock.release()
            try await tasks[0].value
            try await tasks[2].value
            #expect(order.all == [0, 2])
            #expect(!lock.isLocked)
        }
    }

    @Test(
        "a waiter that is cancelled after the lock was handed to it passes it on",
        arguments: TaskKind.allCases)
    func cancelledAfterTheGrant(kind: TaskKind) async throws {
        try await onLoop { loop in
            let lock = Lock()
            let order = Recorder<Int>()
            try await lock.acquire()
            let tasks = (0..<3).map { number in
                kind.start(on: loop) { try await lock.withLock { order.add(number) } }
            }
            await turns(2)
            lock.release()
            tasks[0].cancel()
            tasks[1].cancel()
            await #expect(throws: CancellationError.self) { try await tasks[0].value }
            await #expect(throws: CancellationError.self) { try await tasks[1].value }
            try await tasks[2].value
            #expect(order.all == [2])
            #expect(!lock.isLocked)
        }
    }

    @Test("the lock is free when its only waiter is cancelled after the grant")
    func lastOneCancelledAfterTheGrant() async throws {
        try await onLoop { _ in
            let lock = Lock()
            try await lock.acquire()
            let waiting = spawn { try await lock.acquire() }
            await turns(2)
            lock.release()
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            #expect(lock.tryAcquire())
        }
    }

    @Test("a task that releases and cancels the first in line lets the second go on")
    func holderCancelsTheFirstInLine() async throws {
        try await onLoop { _ in
            let lock = Lock()
            try await lock.acquire()
            let first = spawn { try await lock.withLock {} }
            let second = spawn { try await lock.withLock { 2 } }
            await turns(2)
            first.cancel()
            lock.release()
            let secondValue = try await second.value
            #expect(secondValue == 2)
            await #expect(throws: CancellationError.self) { try await first.value }
        }
    }

    @Test("a task that is cancelled already does not wait, and takes a free lock")
    func cancelledBefore() async throws {
        try await onLoop { _ in
            let lock = Lock()
            try await lock.acquire()
            let task = spawn {
                await turns(2)
                await #expect(throws: CancellationError.self) { try await lock.acquire() }
                lock.release()
                try await lock.acquire()
            }
            await turns()
            task.cancel()
            try await task.value
            #expect(lock.isLocked)
        }
    }

    @Test(
        "a timeout at the moment of the release leaves the lock to whoever has it then",
        arguments: [true, false])
    func timeoutWithTheGrant(releasesFirst: Bool) throws {
        try virtually {
            let lock = Lock()
            try await lock.acquire()
            let release = { EventLoop.current.callLater(.seconds(1)) { lock.release() } }
            if releasesFirst { _ = release() }
            do {
                try await withTimeout(.seconds(1)) {
                    if !releasesFirst { _ = release() }
                    try await lock.acquire()
                }
                lock.release()
            } catch is TimeoutError {}
            await turns(2)
            #expect(!lock.isLocked)
        }
    }

    @Test("another task may release the lock, and so may a scheduled call")
    func releasedElsewhere() async throws {
        try await onLoop { loop in
            let lock = Lock()
            try await lock.acquire()
            let child = spawn { lock.release() }
            try await lock.acquire()
            try await child.value
            loop.callSoon { lock.release() }
            try await lock.acquire()
            lock.release()
        }
    }

    @Test("withLock returns the body's value, and throws its error, and is over then")
    func valueAndError() async throws {
        try await onLoop { _ in
            let lock = Lock()
            let value = try await lock.withLock { () -> String in
                await turns()
                #expect(lock.isLocked)
                return "value"
            }
            #expect(value == "value")
            #expect(!lock.isLocked)
            await #expect(throws: TestError("body")) {
                try await lock.withLock {
                    await turns()
                    throw TestError("body")
                }
            }
            #expect(!lock.isLocked)
        }
    }

    @Test("a body that is cancelled keeps the lock until it has ended")
    func cancelledBody() async throws {
        try await onLoop { _ in
            let lock = Lock()
            let order = Recorder<String>()
            let body = spawn {
                try await lock.withLock {
                    do {
                        try await sleep(for: .seconds(1000))
                    } catch {
                        await turns(3)
                        order.add("cleaned up")
                        throw error
                    }
                }
            }
            await turns(2)
            let next = spawn { try await lock.withLock { order.add("next") } }
            await turns(2)
            body.cancel()
            await #expect(throws: CancellationError.self) { try await body.value }
            try await next.value
            #expect(order.all == ["cleaned up", "next"])
            #expect(!lock.isLocked)
        }
    }

    @Test("the body shares state with its caller that is not Sendable")
    func notSendable() async throws {
        try await onLoop { _ in
            final class Account {
                var balance = 0
            }
            let lock = Lock()
            let account = Account()
            let returned = try await lock.withLock { () -> Account in
                account.balance += 1
                await turns()
                return account
            }
            #expect(returned === account && account.balance == 1)
        }
    }

    @Test("a lock that is always free lets others go first, and notices a cancellation")
    func budget() async throws {
        try await onLoop { _ in
            let lock = Lock()
            let task = spawn {
                while true { try await lock.withLock {} }
            }
            await turns(2)
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(!lock.isLocked)
        }
    }

    @Test("a lock can be made and taken before its loop runs")
    func beforeRun() async throws {
        let value = try await onThread {
            let loop = try EventLoop()
            let lock = Lock(on: loop)
            #expect(lock.tryAcquire())
            loop.callSoon { lock.release() }
            return try loop.runBody { try await lock.withLock { 5 } }
        }
        #expect(value == 5)
    }

    @Test("a release of a free lock traps with a sentence")
    func releaseOfAFreeLock() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { _ in Lock().release() }
        }
        #expect(result.sentence.contains("This lock is not locked"))
    }

    @Test("locking again within withLock traps instead of waiting for ever")
    func lockedAgain() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { _ in
                let lock = Lock()
                try await lock.withLock { try await lock.withLock {} }
            }
        }
        #expect(result.sentence.contains("This task has the lock"))
    }

    @Test("a task may ask again for a lock that another task will release for it")
    func askedAgain() async throws {
        try await onLoop { _ in
            let lock = Lock()
            // Taken by hand: the child's to release.
            try await lock.acquire()
            async let child: Void = {
                await turns(3)
                lock.release()
            }()
            try await lock.acquire()
            await child
            lock.release()
            // Released within the body, and taken and released by another task.
            try await lock.withLock {
                lock.release()
                let other = spawn {
                    try await lock.acquire()
                    await turns(3)
                    lock.release()
                }
                await turns(2)
                try await lock.acquire()
                try await other.value
            }
            #expect(!lock.isLocked)
        }
    }

    @Test("a lock outside a loop, and on a wrong thread, traps with a sentence")
    func wrongPlace() async throws {
        let outside = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            _ = Lock()
        }
        #expect(outside.sentence.contains("Lock() was called outside a running event loop"))
        let elsewhere = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { _ in
                let lock = Lock()
                try await onThread { _ = lock.tryAcquire() }
            }
        }
        #expect(elsewhere.sentence.contains("Lock.tryAcquire was called while another thread runs"))
    }
}
