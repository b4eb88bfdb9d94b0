// Lesson: `await` gives the thread back.
//
// In Python this is asyncio.run(main()), with `await asyncio.sleep(1)` between two prints. Here
// `EventLoop.run` makes the loop, runs the body on it until that ends, and returns what it returned. While
// the task sleeps, the loop waits in one system call, and would run any other task that is ready.

import EventLoop

@MainActor
func hello() throws {
    try EventLoop.run {
        print("Hello …")
        try await sleep(for: .seconds(1))
        print("… world!")
    }
}
