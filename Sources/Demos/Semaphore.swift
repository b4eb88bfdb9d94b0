// Lesson: a semaphore lets so many tasks through at a time, and the others wait in line.
//
//     async with semaphore:                   try await semaphore.withPermit {
//         await work()                            try await work()
//                                             }
//
// A permit that comes back goes to the task that has waited longest, so that none waits for ever. A body that
// throws or is cancelled gives its permit back, too.
//
// When the limit is for one `gather`, its own will do. A `CapacityLimiter` (trio has one) knows who has its
// permits, and its total may change while tasks wait.
//
// In the charts the first stretch of those that come later is the wait for a permit.

import EventLoop

@MainActor
func semaphore() throws {
    title("Four tasks, of which A takes 3 s and the others 2 s")
    try Stage.run {
        section("A semaphore of 2: C begins when B has ended, D when A has")
        let semaphore = Semaphore(2)
        try await gather(["A", "B", "C", "D"]) { name in
            log("\(name)  asks")
            try await semaphore.withPermit { try await work(name) }
        }
        total()

        section("The limit of gather: C and D are not even started before there is room")
        try await gather(["A", "B", "C", "D"], limit: 2) { name in
            try await work(name)
        }
        total()

        section("A limiter of 1 that is raised to 3 after 1 s: B and C begin then")
        let limiter = CapacityLimiter(1)
        EventLoop.current.callLater(.seconds(1)) {
            limiter.total = 3
            log("three at a time from now on")
        }
        try await gather(["A", "B", "C", "D"]) { name in
            try await limiter.withPermit { try await work(name) }
        }
        total()
    }
    conclude("A limit costs time, and saves what is scarce: connections, memory, the other side's patience.")
}

@MainActor
private func work(_ name: String) async throws {
    log("\(name)  begins")
    try await sleep(for: .seconds(name == "A" ? 3 : 2))
    log("\(name)  ends")
}
