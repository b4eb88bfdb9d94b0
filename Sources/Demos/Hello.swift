// Lesson: `await` gives the thread back.
//
// In Python this is asyncio.run(main()), with `await asyncio.sleep(1)` between two prints. Here
// `EventLoop.run` makes the loop, runs the body on it until that ends, and returns what it returned. While
// the task sleeps, the loop waits in one system call, and would run any other task that is ready.
// (`Stage.run` is `EventLoop.run` with the clock that the command line asks for.)
//
// Coming from Python, read these files like this:
//
//     { … }                 a lambda of any length; `{ name in … }` has a parameter, which `$0` is short for
//     run { … }             the lambda is the last argument: run(lambda: …)
//     try await sleep(…)    an await that may throw; each call that may throw is marked with `try`
//     do { … } catch { … }  try: … except Exception as error: …
//     defer { … }           finally: …
//     "\(name) ends"        f"{name} ends"
//     @MainActor            on the main thread, which is the loop's: such functions may share variables, and
//                           the compiler checks that nobody else uses them

import EventLoop

@MainActor
func hello() throws {
    title("Hello, a second of sleep, world")
    try Stage.run {
        log("Hello …")
        try await sleep(for: .seconds(1))
        log("… world!")
    }
    conclude("An await is where a task lets others run: here there were none, so the thread slept.")
}
