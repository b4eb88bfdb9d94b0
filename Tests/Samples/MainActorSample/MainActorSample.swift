import EventLoop

// One style of program: everything is on the main actor, which in EventLoop.run is the loop. State is shared
// between tasks without locks and without Sendable, and the compiler checks it.

var balance = 0
var log: [String] = []

final class Account {
    let name: String
    var deposits: [Int] = []

    init(_ name: String) {
        self.name = name
    }

    func deposit(_ amount: Int) async throws {
        let before = balance
        deposits.append(amount)
        balance = before + amount
        try await sleep(for: .milliseconds(1))
        log.append("\(name) \(amount)")
    }
}

/// Returns what the program counted.
public func runMainActorSample() throws -> (balance: Int, entries: Int) {
    try EventLoop.run {
        let account = Account("shared")
        let task = spawn {
            for amount in 1...3 { try await account.deposit(amount) }
        }
        try await gather({ try await account.deposit(10) }, { try await account.deposit(20) })
        Task { account.deposits.append(0) }
        async let extra: Void = account.deposit(100)
        try await extra
        let promise = Promise<Int>()
        EventLoop.current.callLater(.milliseconds(1)) { promise.succeed(account.deposits.count) }
        balance += try await promise.future.value * 1000
        try await task.value
        // Accounts need not be Sendable to go from task to task.
        let queue = Queue<Account>(maxSize: 1)
        let worker = spawn {
            for try await account in queue {
                try await account.deposit(1)
                queue.taskDone()
            }
        }
        for name in ["a", "b", "c"] { try await queue.put(Account(name)) }
        try await queue.join()
        queue.shutdown()
        try await worker.value
        let channel = Channel<Account>()
        let broadcast = Broadcast<Account>()
        let subscription = broadcast.subscribe()
        spawn {
            for try await account in channel { try await broadcast.send(account) }
            broadcast.finish()
        }
        try await channel.send(account)
        channel.finish()
        for try await account in subscription { try await account.deposit(1) }
    }
    return (balance, log.count)
}
