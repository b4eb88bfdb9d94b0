import TestSupport
import Testing

/// EventLoop.run takes over the executors of its process, where other tests run. So each of its rules is a
/// case of a program that is run for it.
@Suite("EventLoop.run", .serialized, .timeLimit(.minutes(5)))
struct ProcessModeTests {
    private static let program = ChildProcess.executable("ProcessModeCases")

    static func names() async throws -> [String] {
        let list = try await ChildProcess.run(program)
        return list.output.split(separator: "\n").map(String.init)
    }

    @Test("Rule", arguments: try await names())
    func rule(name: String) async throws {
        // What Task.sleep leaves with a loop that ends cannot be freed: nobody would run it.
        let environment = name.hasPrefix("Task.sleep") ? ["ASAN_OPTIONS": "detect_leaks=0"] : [:]
        let child = try await ChildProcess.run(Self.program, [name], environment: environment)
        #expect(child.ending == .exit(0), "\(child.output)")
    }

    @Test("the cases are found")
    func found() async throws {
        #expect(try await Self.names().count > 40)
    }

    @Test("the first SIGINT cancels the main task and lets it clean up, and then ends the process")
    func interrupted() async throws {
        let child = try await ChildProcess.run(Self.program, ["interrupt: cleans up"])
        #expect(child.ending == .signal(2))
        #expect(child.output == "main: CancellationError()\nmain cleaned up\ntask: CancellationError()\n")
    }

    @Test("the second SIGINT ends the process at once, although the loop is stuck in a step")
    func interruptedTwice() async throws {
        let child = try await ChildProcess.run(Self.program, ["interrupt: stuck"])
        #expect(child.ending == .signal(2))
        #expect(child.output == "stuck\n")
    }

    @Test("it works from an async main, too")
    func asyncMain() async throws {
        let child = try await ChildProcess.run(ChildProcess.executable("AsyncMainCase"))
        #expect(child.ending == .exit(0))
        #expect(child.output == "ok\n")
    }
}
