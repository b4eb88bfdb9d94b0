// Lesson: a loop uses one core. A loop on each core uses them all.
//
// A request here is 0.5 s of computing, then 1 s of waiting for somebody else. One loop overlaps the waits
// and not the computing; a loop in each of several threads overlaps both.
//
// Python can have a loop in each thread as well, and hands work over with asyncio.run_coroutine_threadsafe;
// but its interpreter's lock usually lets only one of them compute. Here a `LoopThread` is a thread with a
// loop of its own, and `run` starts a task there and awaits what it returns.
//
// What is made on a loop stays there: its streams, its tasks' state. So no loop needs a lock, and the
// compiler refuses what would be shared. `await log(…)` shows how one loop asks another: `log` belongs to
// the main actor, so the task goes over to the main thread's loop for that line, and comes back.
//
// (`Stage.lapsed` makes times shorter when the lesson is run with --fast; `Stage.record` has the chart show
// the thread's loop, too.)

import EventLoop
import Glibc

@MainActor
func manyLoops() throws {
    let cores = sysconf(CInt(_SC_NPROCESSORS_ONLN))
    let count = min(max(cores, 2), 4)
    let cost = (computing: Stage.lapsed(.milliseconds(500)), waiting: Stage.lapsed(.seconds(1)))
    title("Eight requests: 0.5 s of computing and 1 s of waiting for each")
    try Stage.run {
        section("On one loop: 4 s of computing, then the last wait")
        try await gather(1...8) { number in
            try await answer(number, on: "the main loop", computing: cost.computing, waiting: cost.waiting)
        }
        let one = total()
        show("Most waits were over long before; the loop was computing.")

        section("On \(count) loops, in a thread each")
        let threads = try (1...count).map { try LoopThread(name: "loop \($0)") }
        for (index, thread) in threads.enumerated() { Stage.record(thread, "loop \(index + 1)") }
        try await gather(threads.enumerated()) { (index, thread) in
            try await thread.run(name: "share \(index + 1)") {
                // Its share of the requests: range(index + 1, 9, count) in Python.
                try await gather(stride(from: index + 1, through: 8, by: count)) { number in
                    try await answer(
                        number, on: "loop \(index + 1)", computing: cost.computing, waiting: cost.waiting)
                }
            }
        }
        let many = total()
        for thread in threads { await thread.end() }
        conclude("With \(cores) cores: \(Duration.speedUpByCores(from: one, to: many)).")
    }
}

private func answer(
    _ number: Int, on loop: String, computing: Duration, waiting: Duration
) async throws {
    findPrimes(for: computing)
    try await sleep(for: waiting)
    await log("request \(number) is answered by \(loop)")
}
