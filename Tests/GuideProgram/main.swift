// The complete program that the guide and the README begin with, with the settings that they show.

// snippet.program
import EventLoop

func fetch(_ name: String, taking duration: Duration = .seconds(1)) async throws -> String {
    try await sleep(for: duration)
    return "\(name) done"
}

func work() async throws {
    let (first, second) = try await gather(
        { try await fetch("A", taking: .seconds(2)) },
        { try await fetch("B") })
    print(first, second)  // after two seconds, not three
}

try EventLoop.run { try await work() }
// snippet.end
