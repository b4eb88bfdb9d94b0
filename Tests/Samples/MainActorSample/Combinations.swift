import EventLoop

/// What puts operations together, in a program that is on the main actor and in another module than the
/// library: its closures share the actor's state.
public func runCombinations() throws -> [String] {
    try EventLoop.run(clock: .virtual) {
        var log: [String] = []
        func fetch(_ number: Int) async throws -> Int {
            try await sleep(for: .milliseconds(number))
            log.append("fetched \(number)")
            return number
        }
        try await asCompleted([2, 1], limit: 2) { number in
            try await fetch(number)
        } each: { number, _ in
            log.append("got \(number)")
        }
        try await resultsAsCompleted([1]) { number in
            try await fetch(number)
        } each: { _, result in
            log.append("result \(try result.get())")
        }
        log.append("race \(try await race([1, 9000]) { try await fetch($0) })")
        log.append("race of two \(try await race({ try await fetch(9000) }, { try await fetch(1) }))")
        log.append("first \(try await firstSuccess([1]) { try await fetch($0) })")
        log.append("shielded \(try await shield { try await fetch(1) })")
        let tasks = [spawn { try await fetch(2) }, spawn { try await fetch(1) }]
        for try await task in asCompleted(tasks) { log.append("task \(try await task.value)") }
        let (done, _) = try await wait(for: tasks)
        log.append("waited for \(done.count)")
        let answer = try await withPromise(of: Int.self) { promise in
            log.append("start")
            EventLoop.current.callSoon { promise.succeed(1) }
        }
        let sum = tasks[0].future.and(.succeeded(answer)).map { first, second in
            log.append("map")
            return first + second
        }
        log.append("sum \(try await sum.value)")
        return log
    }
}
