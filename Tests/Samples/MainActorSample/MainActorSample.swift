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
    }
    return (balance, log.count)
}
