// Lesson: three ways to wait for each other. An event: until something has happened. A condition: until
// something is so. A barrier: until everybody is there.
//
// They are asyncio's Event, Condition and Barrier; `withLock` is `async with condition`, and `wait(until:)`
// is `wait_for`. On one thread state needs no lock between two awaits; the lock of a condition is for state
// that must stay as it is across an await. (Here only `notify` asks for it.)

import EventLoop

@MainActor
func eventConditionBarrier() throws {
    title("Waiting for each other")
    try Stage.run {
        section("Event: A and B wait for it, C comes when it is set already")
        let opening = Event()
        EventLoop.current.callLater(.seconds(1)) {
            log("the doors open")
            opening.set()
        }
        try await gather([("A", 0), ("B", 0), ("C", 2)]) { (name, delay) in
            try await sleep(for: .seconds(delay))
            log("\(name)  comes")
            try await opening.wait()
            log("\(name)  is in")
        }

        section("Condition: the baker adds a roll each second, the customer waits for three")
        let baked = Condition()
        var rolls = 0
        let customer = spawn(name: "customer") {
            try await baked.withLock {
                try await baked.wait(until: {
                    log("customer: there are \(rolls)")
                    return rolls >= 3
                })
                rolls -= 3
            }
            log("customer: I have mine")
        }
        for _ in 1...3 {
            try await sleep(for: .seconds(1))
            try await baked.withLock {
                rolls += 1
                log("baker: one more")
                baked.notify()
            }
        }
        try await customer.value

        section("Barrier: three walkers of different speed go on together, twice")
        let summit = Barrier(3)
        try await gather([("A", 1), ("B", 2), ("C", 3)]) { (name, seconds) in
            for stage in 1...2 {
                try await sleep(for: .seconds(seconds))
                log("\(name)  has come to rest \(stage)")
                // Each gets a number of its own; the last that came gets the highest.
                let number = try await summit.wait()
                if number == 2 { log("\(name)  was the last: on we go") }
            }
        }
        total()
    }
    conclude("Nobody polls: who waits is woken when something has changed, and only then looks.")
}
