import Glibc
import Testing

@Suite("serve-echo", .timeLimit(.minutes(5)))
struct ServeEchoTests {
    @Test("a message comes back, and the client may answer that")
    func conversation() async throws {
        try await withProgram("serve-echo", "0") { program in
            let client = try RawClient(port: try program.readPort())
            for message in ["hello\n", "and\nagain\n"] {
                try client.send(message)
                #expect(try client.receive(exactly: message.utf8.count) == Array(message.utf8))
            }
        }
    }

    @Test("a client that ends its side first gets back all it has sent")
    func halfClose() async throws {
        try await withProgram("serve-echo", "0") { program in
            let client = try RawClient(port: try program.readPort())
            let message = (0..<50_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try client.send(message)
            client.shutdownWrite()
            #expect(try client.receiveToEnd() == message)
        }
    }

    @Test("a signal ends it, and idle connections with it", arguments: [SIGINT, SIGTERM])
    func signal(number: CInt) async throws {
        try await withProgram("serve-echo", "0") { program in
            let port = try program.readPort()
            let client = try RawClient(port: port)
            try client.send("12345")
            _ = try client.receive(exactly: 5)
            program.send(number)
            #expect(try client.receiveToEnd().isEmpty)
            #expect(try program.waitForEnd() == .exit(0))
            #expect(try program.remainingLines() == ["Stopping.", "Connections served: 1. Bytes echoed: 5."])
            #expect(throws: CallFailed.self) { try RawClient(port: port) }
        }
    }
}
