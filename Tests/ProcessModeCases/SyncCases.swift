import EventLoop

/// Synchronisation on the main actor, and at the end of a run.
let syncCases = [
    Case("closures under a lock share the main actor's state, and what is not Sendable") {
        final class Account {
            var balance = 0
        }
        let account = Account()
        try EventLoop.run {
            let lock = Lock()
            let condition = Condition(lock: lock)
            let permits = (Semaphore(1), BoundedSemaphore(1), CapacityLimiter(1))
            let depositor = Task {
                for _ in 0..<10 {
                    try await condition.withLock {
                        let before = account.balance
                        await yield()
                        account.balance = before + 1
                        condition.notify()
                    }
                }
            }
            let returned = try await lock.withLock {
                try await condition.wait(until: { account.balance == 10 })
                return account
            }
            try check(returned === account, "another account")
            try await depositor.value
            try await permits.0.withPermit { account.balance += 1 }
            try await permits.1.withPermit { account.balance += 1 }
            try await permits.2.withPermit { account.balance += 1 }
        }
        try check(account.balance == 13, "a balance of \(account.balance)")
    },
    Case("at the end of a run a notified waiter still waits for its lock") {
        let log = Log()
        try EventLoop.run {
            let condition = Condition()
            Task {
                try await condition.withLock {
                    try await condition.wait()
                    log.add("waiter")
                }
            }
            await yield()
            await yield()
            Task {
                try await condition.withLock {
                    condition.notify()
                    do { try await sleep(until: .never) } catch {
                        for _ in 0..<5 { await yield() }
                        log.add("holder")
                    }
                }
            }
            for _ in 0..<5 { await yield() }
        }
        try check(log.all == ["holder", "waiter"], "\(log.all)")
    },
]
