// Lesson: an error stays in its task until somebody awaits the task. Nobody has to be there to catch it, but
// it is not lost.
//
// `gather` throws the first error and cancels the other operations; `gatherResults` is asyncio.gather with
// return_exceptions=True: each result is a value or an error, and no error disturbs the others.
//
// "Task exception was never retrieved", says asyncio when the garbage collector finds such a task. Here the
// report comes as soon as the task has ended and nobody holds it any more: always at the same moment. It is a
// line on standard error, unless a handler is set (loop.set_exception_handler).

import EventLoop

@MainActor
func errors() throws {
    title("What becomes of an error")
    try Stage.run {
        section("It waits in its task, until that is awaited")
        let task = spawn(name: "early") { try await work(1, fails: true) }
        try await sleep(for: .seconds(2))
        log("main: I have not noticed; now I await the task")
        do {
            let value = try await task.value
            log("main: it returned \(value)")
        } catch {
            log("main: caught \(error)")
        }

        section("gather: operation 2 fails, 3 is cancelled, 1 had ended")
        do {
            let values = try await gather(1...3) { try await work($0, fails: $0 == 2) }
            log("main: returned \(values)")
        } catch {
            log("main: caught \(error)")
        }

        section("gatherResults: operation 2 fails, the others know nothing of it")
        let results = await gatherResults(1...3) { try await work($0, fails: $0 == 2) }
        for result in results {
            switch result {
            case .success(let value): log("main: got \(value)")
            case .failure(let error): log("main: got \(error)")
            }
        }

        section("An error that nobody looks at")
        EventLoop.current.setErrorHandler { report in
            // `log` is @MainActor, and a handler may be called on any thread, so the compiler refuses.
            // `assumeIsolated` says: this is the main thread, and traps if it is not. In your program:
            // setErrorHandler { report in print(report) }
            MainActor.assumeIsolated {
                log("handler: nobody looked at \(report.taskName ?? ""): \(report.error)")
            }
        }
        spawn(name: "forgotten") { try await work(1, fails: true) }
        try await sleep(for: .seconds(2))
        log("main: I go on")
    }
    conclude("Await what you start, or let gather do it: then errors come to you.")
}

/// Takes as many seconds as its number says.
@MainActor
private func work(_ number: Int, fails: Bool) async throws -> String {
    do {
        try await sleep(for: .seconds(number))
    } catch {
        log("operation \(number) is cancelled")
        throw error
    }
    log("operation \(number) \(fails ? "fails" : "ends")")
    if fails { throw Failure(number: number) }
    return "result \(number)"
}

private struct Failure: Error, CustomStringConvertible {
    let number: Int

    var description: String { "an error in operation \(number)" }
}
