// Lesson: an event loop runs one task at a time. At an `await` that has to wait, another one gets its turn.
//
// As in asyncio, nobody is interrupted: a task gives its turn away, at an await and nowhere else. So between
// two awaits a task has everything to itself, and needs no lock. When no task is ready, the loop waits in one
// system call for whatever comes first, and the thread sleeps.
//
// `yield()` gives the turn away and asks for another: `await asyncio.sleep(0)`. The word `await` alone does
// not: a function that has its answer at once returns it, and its caller goes on in the same turn. E and F
// show that: between their steps they await, as C and D do, but nothing that they would have to wait for.

import EventLoop

@MainActor
func eventLoop() throws {
    title("Two tasks on one thread, taking turns")
    try Stage.run {
        section("A waits for 2 s and B for 1 s: nobody is ready, so the thread sleeps until B is")
        let a = spawn(name: "A") { try await wait("A", seconds: 2) }
        let b = spawn(name: "B") { try await wait("B", seconds: 1) }
        try await a.value
        try await b.value

        section("Three steps each, and between them an await that yields: they alternate")
        let c = spawn(name: "C") { await steps("C", yielding: true) }
        let d = spawn(name: "D") { await steps("D", yielding: true) }
        try await c.value
        try await d.value

        section("Three steps each, and an await that need not wait: E gives no turn away")
        let e = spawn(name: "E") { await steps("E", yielding: false) }
        let f = spawn(name: "F") { await steps("F", yielding: false) }
        try await e.value
        try await f.value
    }
    conclude("A task runs until it waits. Until then nobody disturbs it, and everybody else waits.")
}

@MainActor
private func wait(_ name: String, seconds: Int) async throws {
    log("\(name)  begins, and waits")
    try await sleep(for: .seconds(seconds))
    log("\(name)  goes on, and ends")
}

@MainActor
private func steps(_ name: String, yielding: Bool) async {
    for step in 1...3 {
        log("\(name)  step \(step)")
        await turn(yielding)
    }
}

/// Awaited in any case; but only the yield gives the turn away.
@MainActor
private func turn(_ yielding: Bool) async {
    if yielding { await yield() }
}
