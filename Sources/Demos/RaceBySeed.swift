// Lesson: one thread rules out data races, not races. Between a check and what follows from it, an await lets
// others in.
//
// A loop runs ready tasks in the order in which they became ready, as asyncio does. So a race may hide for
// years, until a reply comes a little earlier. Given a seed, the loop draws the order instead: one that might
// have come about, and the same one for the same seed. Try seeds until one shows the race, look at that run,
// mend the program, and try them all again. On virtual time a thousand runs take a moment.
//
// Look at what comes between "finds" and "takes": there B sees money that A has as good as spent.

import EventLoop

@MainActor
func raceBySeed() throws {
    title("Two withdrawals of 80 from an account of 100")

    section("In the order in which tasks become ready")
    for line in try run(seed: nil).lines { log(line) }
    let unlucky = try (1...100).filter { _ in try run(seed: nil).balance < 0 }
    log("overdrawn in \(unlucky.count) of 100 runs: the usual order is always the same")

    section("In orders drawn from the seeds 1 to 1000")
    let failing = try (1...1000).filter { try run(seed: $0).balance < 0 }
    guard let seed = failing.first else { return log("no seed overdraws it") }
    log("overdrawn in \(failing.count) of 1000 runs, first with seed \(seed)")

    section("The run with seed \(seed) again: it is the same each time")
    for line in try run(seed: seed).lines { log(line) }

    section("With a lock from the check to the withdrawal")
    let stillFailing = try (1...1000).filter { try run(seed: $0, isLocked: true).balance < 0 }
    log("overdrawn in \(stillFailing.count) of 1000 runs")

    conclude("Hold a lock from a check until its consequence, or do not await in between.")
}

@MainActor
private func run(seed: UInt64?, isLocked: Bool = false) throws -> Account {
    try EventLoop.run(clock: .virtual, seed: seed) {
        let account = Account()
        try await gather(
            { try await account.withdraw(80, for: "A", isLocked) },
            {
                try await sleep(for: .milliseconds(10))  // B has to log in first.
                try await account.withdraw(80, for: "B", isLocked)
            })
        return account
    }
}

@MainActor
private final class Account {
    private(set) var balance = 100
    private(set) var lines: [String] = []
    private let lock = Lock()

    func withdraw(_ amount: Int, for name: String, _ isLocked: Bool) async throws {
        if isLocked {
            try await lock.withLock { try await withdraw(amount, for: name) }
        } else {
            try await withdraw(amount, for: name)
        }
    }

    private func withdraw(_ amount: Int, for name: String) async throws {
        guard balance >= amount else { return lines.append("\(name)  is refused: there are \(balance)") }
        lines.append("\(name)  finds \(balance), and notes it in the books")
        try await sleep(for: .milliseconds(10))
        balance -= amount
        lines.append("\(name)  takes \(amount): there are \(balance)")
    }
}
