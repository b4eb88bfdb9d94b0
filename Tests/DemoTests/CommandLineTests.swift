import TestSupport
import Testing

@Suite("The command line", .timeLimit(.minutes(5)))
struct CommandLineTests {
    static let names = [
        "headline", "hello", "sync-async", "coroutines", "tasks", "event-loop", "futures",
        "gather", "as-completed", "errors", "timeouts", "cancellation",
        "semaphore", "producer-consumer", "rate-limiting", "event-condition-barrier", "task-scope",
        "virtual-time", "race-by-seed",
        "fetch", "fetch-pages", "failing-fetch", "limited-fetch", "streams",
        "threads", "cpu-bound", "many-loops", "graceful-shutdown",
        "blocking-the-loop", "forgotten-await", "lost-error", "loop-in-a-loop",
        "serve-echo", "serve-http",
    ]

    @Test("list names every demo once, in the teaching order, without colours in a pipe")
    func list() async throws {
        try await withProgram("list") { program in
            let lines = try program.remainingLines()
            #expect(try program.waitForEnd() == .exit(0))
            let listed = lines.filter { $0.hasPrefix("  ") && !$0.hasPrefix("  --") }.map {
                String($0.split(separator: " ")[0])
            }
            #expect(listed == Self.names)
            #expect(!lines.joined().contains("\u{1B}"))
            #expect(lines.last?.contains("Sources/Demos/") == true)
        }
    }

    @Test(
        "an unknown name is an error that shows the list, and nothing is run",
        arguments: [["nope"], ["hello", "nope"]])
    func unknownName(names: [String]) async throws {
        try await onThread {
            let program = try Program(names)
            let errors = try program.errorLines()
            #expect(try program.waitForEnd() == .exit(64))
            #expect(errors.first?.contains("\"nope\"") == true)
            for name in Self.names { #expect(errors.contains { $0.hasPrefix("  \(name)") }) }
            #expect(try program.remainingLines().isEmpty)
        }
    }

    @Test(
        "a port that is none is an error",
        arguments: [[], ["0x50"], ["-1"], ["65536"], ["port"], ["1", "2"]], ["serve-echo", "serve-http"])
    func badPort(arguments: [String], server: String) async throws {
        try await onThread {
            let program = try Program([server] + arguments)
            let errors = try program.errorLines()
            #expect(try program.waitForEnd() == .exit(64))
            #expect(errors.count == 1)
            #expect(errors.first?.contains("\(server) PORT") == true)
        }
    }

    @Test("a port in use is an error that names the address")
    func portInUse() async throws {
        try await withProgram("serve-http", "0") { first in
            let port = try first.readPort()
            let second = try Program(["serve-echo", String(port)])
            let errors = try second.errorLines()
            #expect(try second.waitForEnd() == .exit(1))
            #expect(errors.count == 1)
            #expect(errors.first?.contains("127.0.0.1:\(port)") == true)
            #expect(errors.first?.contains("in use") == true)
        }
    }
}

extension Program {
    /// The port from a server's first line.
    func readPort() throws -> Int {
        let line = try #require(try readLine())
        let address = try #require(line.split(separator: " ").first { $0.hasPrefix("127.0.0.1:") })
        return try #require(Int(address.dropFirst(10).prefix { $0.isNumber }))
    }
}
