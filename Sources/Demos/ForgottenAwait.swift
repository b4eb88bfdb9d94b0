// Lesson: what becomes of work that nobody awaits.
//
// In Python, a call without its await makes a coroutine that never runs, and a RuntimeWarning if you are
// lucky. In Swift it does not compile:
//
//     try save("A")       error: expression is 'async' but is not marked with 'await'
//
// With `await`, but in a function that is not async itself, it does not compile either: "'async' call in a
// function that does not support concurrency".
//
// What does compile is starting a task and not awaiting its end. Such a task runs, and it is not lost, for
// its loop owns it. (asyncio's loop does not: a task that nobody keeps may vanish half-way, says its
// manual.) But when the main task ends, the program ends, and what still runs is cancelled, as by
// asyncio.run. `async let` has the same rule for a scope: what it started and nobody awaited is cancelled
// and waited for where the scope ends. (`async let` shows as a plain task.)

import EventLoop

@MainActor
func forgottenAwait() throws {
    title("Saving takes 3 s, and main has 1 s to do")

    section("Spawned, and not awaited: main ends first, and that ends all")
    try Stage.run {
        spawn(name: "A") { try await save("A") }
        try await doSomething()
    }
    total()

    section("Spawned, and awaited in the end")
    try Stage.run {
        let saving = spawn(name: "B") { try await save("B") }
        try await doSomething()
        try await saving.value
    }
    total()

    section("async let, and not awaited: its scope ends first")
    try Stage.run {
        do {
            async let _ = save("C")
            try await doSomething()
        }
        log("main: on I go, after the scope")
    }
    total()

    section("A task scope awaits for you: it ends when all that it started has")
    try Stage.run {
        try await withTaskScope { scope in
            scope.spawn(name: "D") { try await save("D") }
            try await doSomething()
        }
        log("main: on I go, after the scope")
    }
    total()
    conclude("Whoever starts a task must say who waits for it: an await, or a scope.")
}

@MainActor
private func doSomething() async throws {
    try await sleep(for: .seconds(1))
    log("main: I have done what I had to")
}

@MainActor
private func save(_ name: String) async throws {
    log("\(name)  is being saved …")
    defer { log("\(name)  \(Task.isCancelled ? "is cancelled, and not saved" : "is saved")") }
    try await sleep(for: .seconds(3))
}
