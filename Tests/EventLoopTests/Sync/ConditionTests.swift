import TestSupport
import Testing

@testable import EventLoop

@Suite("Condition", .timeLimit(.minutes(5)))
struct ConditionTests {
    @Test("a wait releases the lock, and has it again when it returns")
    func waitAndNotify() async throws {
        try await onLoop { _ in
            let condition = Condition()
            let task = spawn {
                try await condition.withLock {
                    try await condition.wait()
                    #expect(condition.lock.isLocked)
                }
            }
            await turns(2)
            #expect(!condition.lock.isLocked)
            try await condition.acquire()
            condition.notify()
            await turns(2)
            #expect(!task.isDone)
            condition.release()
            try await task.value
            #expect(!condition.lock.isLocked)
        }
    }

    @Test("notify lets as many go on as it says, in their order, and forgets what is too much")
    func notifyCount() async throws {
        try await onLoop { _ in
            let condition = Condition()
            let order = Recorder<Int>()
            let tasks = (0..<6).map { number in
                spawn {
                    try await condition.withLock {
                        try await condition.wait()
                        order.add(number)
                    }
                }
            }
            await turns(2)
            for (count, expected) in [(0, 0), (1, 1), (2, 3), (100, 6)] {
                try await condition.withLock { condition.notify(count) }
                await turns(8)
                #expect(order.all == Array(0..<expected))
            }
            for task in tasks { try await task.value }
            let late = spawn { try await condition.withLock { try await condition.wait() } }
            await turns(3)
            #expect(!late.isDone)
            try await condition.withLock { condition.notifyAll() }
            try await late.value
        }
    }

    @Test("notifyAll lets all who wait go on, one at a time")
    func notifyAll() async throws {
        try await onLoop { _ in
            let condition = Condition()
            let (inside, most) = (Counter(), Recorder<Int>())
            let tasks = (0..<10).map { _ in
                spawn {
                    try await condition.withLock {
                        try await condition.wait()
                        inside.increment()
                        await turns()
                        most.add(inside.value)
                        inside.decrement()
                    }
                }
            }
            await turns(2)
            try await condition.withLock { condition.notifyAll() }
            for task in tasks { try await task.value }
            #expect(most.all == Array(repeating: 1, count: 10))
        }
    }

    @Test("wait(until:) waits as long as its predicate does not hold, and not at all if it does")
    func predicate() async throws {
        try await onLoop { _ in
            let condition = Condition()
            let number = Counter()
            try await condition.withLock { try await condition.wait(until: { number.value == 0 }) }
            let task = spawn {
                try await condition.withLock {
                    try await condition.wait(until: { number.value == 3 })
                    return number.value
                }
            }
            for _ in 0..<3 {
                await turns(3)
                #expect(!task.isDone)
                try await condition.withLock {
                    number.increment()
                    condition.notify()
                }
            }
            let taskValue = try await task.value
            #expect(taskValue == 3)
        }
    }

    @Test("an error of the predicate is thrown, and the lock is released by its scope")
    func predicateThrows() async throws {
        try await onLoop { _ in
            let condition = Condition()
            await #expect(throws: TestError("predicate")) {
                try await condition.withLock {
                    try await condition.wait(until: { throw TestError("predicate") })
                }
            }
            #expect(!condition.lock.isLocked)
        }
    }

    @Test("a notification goes to the next when the predicate throws that was called for it")
    func predicateThrowsLater() async throws {
        try await onLoop { _ in
            let condition = Condition()
            var isBroken = false
            var isReady = false
            try await gather(
                {
                    await #expect(throws: TestError("predicate")) {
                        try await condition.withLock {
                            try await condition.wait(until: {
                                if isBroken { throw TestError("predicate") }
                                return false
                            })
                        }
                    }
                },
                { try await condition.withLock { try await condition.wait(until: { isReady }) } },
                {
                    try await condition.withLock {
                        (isBroken, isReady) = (true, true)
                        condition.notify()
                    }
                })
        }
    }

    @Test("several conditions on one lock wake their own waiters only")
    func sharedLock() async throws {
        try await onLoop { _ in
            let lock = Lock()
            let (notEmpty, notFull) = (Condition(lock: lock), Condition(lock: lock))
            let items = Recorder<Int>()
            let taken = Counter()
            let capacity = 2
            let consumer = spawn {
                for _ in 0..<20 {
                    try await lock.withLock {
                        try await notEmpty.wait(until: { items.count > taken.value })
                        taken.increment()
                        notFull.notify()
                    }
                }
            }
            for number in 0..<20 {
                try await lock.withLock {
                    try await notFull.wait(until: { items.count - taken.value < capacity })
                    items.add(number)
                    notEmpty.notify()
                }
            }
            try await consumer.value
            #expect(items.all == Array(0..<20))
            #expect(taken.value == 20)
        }
    }

    @Test("a cancelled wait has the lock again before it throws", arguments: TaskKind.allCases)
    func cancelledWaitReacquires(kind: TaskKind) async throws {
        try await onLoop { loop in
            let condition = Condition()
            let order = Recorder<String>()
            let task = kind.start(on: loop) {
                try await condition.withLock {
                    do {
                        try await condition.wait()
                    } catch {
                        #expect(condition.lock.isLocked)
                        order.add("thrown")
                        throw error
                    }
                }
            }
            await turns(2)
            try await condition.acquire()
            task.cancel()
            await turns(5)
            order.add("released")
            condition.release()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(order.all == ["released", "thrown"])
            #expect(!condition.lock.isLocked)
        }
    }

    @Test(
        "the lock is taken again in turn, however often the task is cancelled", arguments: TaskKind.allCases)
    func reacquiringSurvivesCancellation(kind: TaskKind) async throws {
        try await onLoop { loop in
            let condition = Condition()
            let order = Recorder<String>()
            try await condition.acquire()
            let cancelled = kind.start(on: loop) {
                try await condition.acquire()
                defer {
                    order.add("waiter")
                    condition.release()
                }
                try await condition.wait()
            }
            await turns(2)
            condition.release()
            await turns(2)
            try await condition.acquire()
            cancelled.cancel()
            await turns(2)
            // In line for the lock now, ahead of this one.
            let next = spawn { try await condition.withLock { order.add("next") } }
            await turns(2)
            cancelled.cancel()
            await turns(2)
            #expect(order.count == 0)
            condition.release()
            await #expect(throws: CancellationError.self) { try await cancelled.value }
            try await next.value
            #expect(order.all == ["waiter", "next"])
        }
    }

    @Test("a wait of a task that is cancelled already lets others have the lock, and throws")
    func cancelledBefore() async throws {
        try await onLoop { _ in
            let condition = Condition()
            let order = Recorder<String>()
            let task = spawn {
                try await condition.withLock {
                    await turns(3)
                    do {
                        try await condition.wait()
                    } catch {
                        order.add("waiter")
                        throw error
                    }
                }
            }
            await turns(2)
            let other = spawn { try await condition.withLock { order.add("other") } }
            await turns()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            try await other.value
            #expect(order.all == ["other", "waiter"])
        }
    }

    @Test("a notification goes to the next when its waiter is cancelled first", arguments: TaskKind.allCases)
    func notifyAfterCancel(kind: TaskKind) async throws {
        try await notifyBesideCancel(kind) { first, condition in
            first.cancel()
            condition.notify()
        }
    }

    @Test(
        "a notification goes to the next when its waiter is cancelled after it", arguments: TaskKind.allCases)
    func cancelAfterNotify(kind: TaskKind) async throws {
        try await notifyBesideCancel(kind) { first, condition in
            condition.notify()
            first.cancel()
        }
    }

    @Test(
        "a notification goes to the next when its waiter is cancelled in line for the lock",
        arguments: TaskKind.allCases)
    func cancelWhileReacquiring(kind: TaskKind) async throws {
        try await notifyBesideCancel(kind) { first, condition in
            condition.notify()
            await turns(3)
            first.cancel()
            await turns(3)
        }
    }

    /// Of two waiters, the first is cancelled: the second must be notified, and only that one.
    private func notifyBesideCancel(
        _ kind: TaskKind, _ act: (StartedTask<Void>, Condition) async -> Void
    ) async throws {
        try await onLoop { loop in
            let condition = Condition()
            let tasks = (0..<3).map { _ in
                kind.start(on: loop) { try await condition.withLock { try await condition.wait() } }
            }
            await turns(3)
            try await condition.withLock { await act(tasks[0], condition) }
            await #expect(throws: CancellationError.self) { try await tasks[0].value }
            try await tasks[1].value
            // The third was not notified: only a cancellation ends its wait.
            await turns(5)
            tasks[2].cancel()
            await #expect(throws: CancellationError.self) { try await tasks[2].value }
            #expect(!condition.lock.isLocked)
        }
    }

    @Test("a task has the lock by its scope again after a wait, so locking again traps")
    func scopeAfterWait() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { loop in
                let condition = Condition()
                let notifier = spawn { try await condition.withLock { condition.notify() } }
                try await condition.withLock {
                    try await condition.wait()
                    try await condition.acquire()
                }
                try await notifier.value
            }
        }
        #expect(result.sentence.contains("This task has the lock"))
    }

    @Test("waiting and notifying without the lock traps with a sentence")
    func withoutTheLock() async throws {
        let wait = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { _ in try await Condition().wait() }
        }
        #expect(wait.sentence.contains("Condition.wait needs the lock"))
        let waitUntil = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { _ in try await Condition().wait(until: { true }) }
        }
        #expect(waitUntil.sentence.contains("Condition.wait(until:) needs the lock"))
        let notify = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { _ in Condition().notifyAll() }
        }
        #expect(notify.sentence.contains("Condition.notify needs the lock"))
    }
}
