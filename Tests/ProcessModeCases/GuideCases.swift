// Code of the guide that has a process for itself; the articles show the passages between the marks.

import EventLoop
import Glibc

// snippet.Counter
@MainActor
final class Counter {
    var pages = 0
}

@MainActor
func count(_ name: String, in counter: Counter) async throws {
    _ = try await fetch(name)
    counter.pages += 1  // nobody comes between the reading and the writing
}
// snippet.end

private func fetch(_ name: String) async throws -> String {
    try await sleep(for: .milliseconds(1))
    return "\(name) done"
}

let guideCases = [
    Case("guide: run gathers, and takes as long as the longest") {
        // snippet.hello
        func fetch(_ name: String, taking duration: Duration) async throws -> String {
            try await sleep(for: duration)
            return "\(name) done"
        }

        let (first, second) = try EventLoop.run {
            try await gather(
                { try await fetch("A", taking: .milliseconds(20)) },
                { try await fetch("B", taking: .milliseconds(10)) })
        }
        print(first, second)  // after 20 ms, not 30
        // snippet.end
        try check(first == "A done" && second == "B done", "\(first), \(second)")
    },
    Case("guide: run returns what main returned") {
        func main() async throws -> Int { 42 }
        // snippet.run
        let status = try EventLoop.run { try await main() }
        // snippet.end
        try check(status == 42, "\(status)")
    },
    Case("guide: everything of Swift's concurrency runs on the loop") {
        try EventLoop.run {
            // snippet.everything
            Task { try check(isOnLoop(), "a plain task") }
            async let inside = isOnLoop()
            try await Task.sleep(for: .milliseconds(1))
            try check(await inside, "an async let")
            // snippet.end
        }
    },
    Case("guide: tasks share what is the main actor's") {
        try EventLoop.run { @MainActor in
            let counter = Counter()
            try await gather(["A", "B"]) { name in try await count(name, in: counter) }
            try check(counter.pages == 2, "\(counter.pages)")
        }
    },
    Case("guide: clean-up that awaits has a task of its own") {
        nonisolated(unsafe) var said: [String] = []
        @MainActor func sayGoodbye() async throws {
            try await sleep(for: .milliseconds(1))
            said.append("goodbye")
        }
        try EventLoop.run {
            let task = spawn {
                // snippet.cleanup
                do {
                    try await sleep(for: .seconds(10))
                } catch {
                    try await Task { try await sayGoodbye() }.value
                    throw error
                }
                // snippet.end
            }
            await yield()
            task.cancel()
            guard case .failure(is CancellationError) = await task.result else {
                throw Failure(description: "not cancelled")
            }
        }
        try check(said == ["goodbye"], "\(said)")
    },
    Case("guide: a signal asks for a dump of the tasks") {
        nonisolated(unsafe) var dump = ""
        try EventLoop.run {
            let loop = EventLoop.current
            let isThere = Event()
            loop.setDebugHandler { [unowned loop] report in
                if case .tasks(let text) = report { dump = text }
                loop.callSoonThreadSafe { isThere.set() }
            }
            // snippet.dump_on_signal
            try loop.dumpTasksOnSignal(SIGUSR1)
            // snippet.end
            raise(SIGUSR1)
            try await isThere.wait()
        }
        try check(dump.contains("task main"), dump)
    },
    Case("guide: signals are a sequence") {
        try EventLoop.run {
            // snippet.add_signal_handler
            let signals = try Signals([SIGUSR1, SIGTERM])
            // snippet.end
            raise(SIGTERM)
            var last: CInt = 0
            // snippet.signals
            for try await signal in signals {
                last = signal
                if signal == SIGTERM { break }
            }
            // snippet.end
            try check(last == SIGTERM, "\(last)")
            // snippet.remove_signal_handler
            signals.close()
            // snippet.end
        }
    },
]
