// Lesson: to cancel a task is to ask it to end. Its await throws, and it cleans up on its way out.
//
// The await under way throws a CancellationError (asyncio.CancelledError); if none is, the next one does.
// Long computing asks now and then: `try Task.checkCancellation()`. (`LoopTask` is what `spawn` returns.)
//
// One rule differs. asyncio cancels an await: whoever catches the error may go on as if nothing had been.
// Swift cancels a task, and it stays cancelled: whoever catches the error and goes on gets it again at each
// further await of this library that can throw. So clean-up that has to wait goes into a task of its own,
// which nobody has cancelled. That is a plain `Task`: to await one does not pass your own cancellation on to
// it, as awaiting a spawned task does (and `await task` in asyncio).

import EventLoop

@MainActor
func cancellation() throws {
    title("Asking a task to end")
    try Stage.run {
        section("Cancelled after 1 s of 10")
        let sleeper = spawn(name: "sleeper") { try await work("sleeper", 10) }
        try await cancel(sleeper, after: 1)

        section("Cancelled, caught, and still cancelled: the second await throws at once")
        let stubborn = spawn(name: "stubborn") {
            do { try await work("step 1", 10) } catch { log("stubborn  catches it, and goes on") }
            try await work("step 2", 10)
        }
        try await cancel(stubborn, after: 1)

        section("Clean-up that takes 2 s, in a task that nobody has cancelled")
        let polite = spawn(name: "polite") {
            do {
                try await work("polite", 10)
            } catch {
                try await Task { try await work("goodbye", 2) }.value
                throw error
            }
        }
        try await cancel(polite, after: 1)
        total()

        section("A shield: the one that waits for it is cancelled, the saving goes on")
        let saving = spawn(name: "saving") { try await work("saving", 3) }
        let impatient = spawn(name: "impatient") { try await shield(saving) }
        try await cancel(impatient, after: 1)
        try await saving.value
        total()

        section("Cancelling one that gathers cancels all that it gathers")
        let family = spawn(name: "family") {
            try await gather(["A", "B"]) { try await work($0, 10) }
        }
        try await cancel(family, after: 1)
    }
    conclude("cancel() asks; the task answers at an await. Await it to know that it has ended.")
}

@MainActor
private func cancel<Success>(_ task: LoopTask<Success>, after seconds: Int) async throws {
    try await sleep(for: .seconds(seconds))
    let name = task.name ?? ""
    log("\(name)  is asked to end")
    task.cancel()
    do {
        _ = try await task.value
    } catch {
        log("\(name)  has ended with a \(type(of: error))")
    }
}

@MainActor
private func work(_ name: String, _ seconds: Int) async throws {
    log("\(name)  begins")
    defer { log("\(name)  \(Task.isCancelled ? "is cut short" : "ends")") }
    try await sleep(for: .seconds(seconds))
}
