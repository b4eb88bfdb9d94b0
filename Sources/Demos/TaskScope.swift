// Lesson: tasks that belong together end together. A scope is left when all of its tasks have ended, and the
// first error ends the others.
//
//     async with asyncio.TaskGroup() as group:      try await withTaskScope { scope in
//         group.create_task(work("A", 1))               scope.spawn { try await work("A", 1) }
//                                                   }
//
// Use it where the number of tasks shows only while they run; `gather` is for a list that is there. What went
// wrong comes as one TaskScopeError with all the errors (asyncio's ExceptionGroup).
//
// The body is a child task, too: the row `withTaskScope`. (asyncio's is the parent itself.)

import EventLoop

@MainActor
func taskScope() throws {
    title("Tasks in a scope: each takes as many seconds as it says")
    try Stage.run {
        section("The scope waits for all, also for those that its tasks start")
        try await withTaskScope { scope in
            scope.spawn(name: "A") {
                try await work("A", 1)
                scope.spawn(name: "C") { try await work("C", 2) }
            }
            scope.spawn(name: "B") { try await work("B", 2) }
            log("the body has ended, the scope has not")
        }
        total()

        section("B fails after 1 s: A and C, and the body, are cancelled; then the scope throws")
        do {
            try await withTaskScope { scope in
                scope.spawn(name: "A") { try await work("A", 2) }
                scope.spawn(name: "B") { try await work("B", 1, fails: true) }
                scope.spawn(name: "C") { try await work("C", 3) }
                try await work("the body", 4)
            }
        } catch let error as TaskScopeError {
            log("caught \(error.errors)")
        }
        total()

        section("cancel() after 1 s: you asked for it, so nothing is thrown")
        try await withTaskScope { scope in
            scope.spawn(name: "A") { try await work("A", 60) }
            try await sleep(for: .seconds(1))
            scope.cancel()
        }
        log("and on it goes")
        total()
    }
    conclude("When a scope is left, nothing that was started in it still runs.")
}

@MainActor
private func work(_ name: String, _ seconds: Int, fails: Bool = false) async throws {
    log("\(name)  begins")
    do {
        try await sleep(for: .seconds(seconds))
    } catch {
        log("\(name)  is cancelled")
        throw error
    }
    log("\(name)  \(fails ? "fails" : "ends")")
    if fails { throw Failure(task: name) }
}

private struct Failure: Error, CustomStringConvertible {
    let task: String

    var description: String { "error of \(task)" }
}
