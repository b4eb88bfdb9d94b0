// Lesson: one thread rules out data races, not races. Between a check and what follows from it, an await lets
// others in.
//
// A loop runs ready tasks in the order in which they became ready, as asyncio does. So a race may hide for
// years, until a reply comes a little earlier. Given a seed, the loop draws the order instead: still a legal
// one, and the same for the same seed. Try seeds until one shows the race, look at that run, mend the program,
// and try them again. On virtual time hundreds of runs take a moment.

import EventLoop

@MainActor
func raceBySeed() throws {
    title("Two withdrawals of 80 from an account of 100")

    section("In the order in which tasks become ready, a hundred times")
    let overdrawn = try (1...100).filter { _ in try run(seed: nil).balance < 0 }
    log("overdrawn in \(overdrawn.count) runs: looks as if it were right")

    section("In an order drawn from a seed")
    guard let seed = try (1...1000).first(where: { try run(seed: $0).balance < 0 }) else {
        return log("no seed of 1000 overdraws it")
    }
    log("overdrawn with seed \(seed)")

    section("That run again, and again the same")
    for line in try run(seed: seed).lines { log(line) }

    section("With a lock from the check to the withdrawal: a thousand seeds")
    let failing = try (1...1000).filter { try run(seed: $0, isLocked: true).balance < 0 }
    log("overdrawn in \(failing.count) runs")

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
