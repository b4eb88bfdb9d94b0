import EventLoop
import Synchronization

/// Runs `body` on a fresh loop whose time is virtual, on this thread, and closes the loop.
@discardableResult
func virtually<Success: Sendable>(
    _ body: sending @escaping @isolated(any) () async throws -> Success
) throws -> Success {
    let loop = try EventLoop(clock: .virtual)
    let result: Result<Success, any Error>
    do {
        result = .success(try loop.run(body))
    } catch {
        result = .failure(error)
    }
    try loop.close()
    return try result.get()
}

/// How much time passes on the current loop's clock.
func elapsed(_ body: () async throws -> Void) async rethrows -> Duration {
    let start = EventLoop.current.now
    try await body()
    return start.duration(to: EventLoop.current.now)
}

struct Failed: Error, Equatable {}

/// What an operation of the guide does: it takes its time, and says so.
func fetch(_ name: String, taking duration: Duration = .seconds(1)) async throws -> String {
    try await sleep(for: duration)
    return "\(name) done"
}

/// Collects what happened, on one loop's thread.
final class Log: @unchecked Sendable {
    private(set) var lines: [String] = []

    func add(_ line: String) {
        lines.append(line)
    }
}

/// A log that any thread may write to.
final class SharedLog: Sendable {
    private let storage = Mutex<[String]>([])

    var lines: [String] { storage.withLock { $0 } }

    func add(_ line: String) {
        storage.withLock { $0.append(line) }
    }
}

/// State that a loop's tasks share: one thread runs them, so nobody changes it between two awaits.
final class Stock: @unchecked Sendable {
    var items: [String] = []
}
