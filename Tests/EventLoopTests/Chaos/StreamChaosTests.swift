import Testing

@testable import EventLoop

/// Sockets whose readers, writers and connections are cancelled wherever they are.
///
/// Ends are told by shutdown and not by close alone: a process that another test starts has copies of all
/// descriptors for a moment, which would keep an end back, and virtual time would not wait for it.
@Suite("streams in chaos", .timeLimit(.minutes(5)))
struct StreamChaosTests {
    @Test("a cancelled read takes nothing: all bytes arrive, once and in order")
    func reads() async throws {
        try await chaos { chaos in
            let (one, other) = try streamPair()
            let reading = Lock()
            var received: [UInt8] = []
            for _ in 0..<4 {
                chaos.worker {
                    for _ in 0..<3 {
                        try await reading.withLock {
                            received += try await one.read(upTo: chaos.number(1...3))
                        }
                        try await chaos.pause()
                    }
                }
            }
            let bytes = (0..<20).map { UInt8($0) }
            let writer = chaos.helper {
                for start in stride(from: 0, to: 20, by: 4) {
                    try await other.write(Array(bytes[start..<start + 4]))
                    try await chaos.pause()
                }
                try other.shutdownWrite()
            }
            try await chaos.strikeAndEnd()
            try await writer.end()
            while case let more = try await one.read(upTo: 100), !more.isEmpty { received += more }
            one.close()
            other.close()
            try chaos.check(received == bytes, "\(received)")
        }
    }

    @Test("a cancelled write that has not begun leaves no byte, and no writer's bytes stand among another's")
    func writes() async throws {
        try await chaos { chaos in
            let (one, other) = try streamPair()
            var written: [UInt8] = []
            for number in 0..<5 as Range<UInt8> {
                chaos.worker {
                    try await chaos.pause()
                    try await one.write([number, number, number])
                    written.append(number)
                }
            }
            try await chaos.strikeAndEnd()
            try one.shutdownWrite()
            var received: [UInt8] = []
            while case let more = try await other.read(upTo: 100), !more.isEmpty { received += more }
            one.close()
            other.close()
            let messages = stride(from: 0, to: received.count, by: 3).map { Array(received[$0..<$0 + 3]) }
            try chaos.check(messages.allSatisfy { Set($0).count == 1 }, "\(received)")
            try chaos.check(Set(messages.map { $0[0] }).isSuperset(of: written), "\(received)")
        }
    }

    @Test("who waits for a stream that is closed goes on, cancelled or not")
    func closes() async throws {
        try await chaos { chaos in
            let (one, other) = try streamPair()
            chaos.worker { try await closedIsFine { _ = try await one.read(upTo: 1) } }
            chaos.worker { try await closedIsFine { _ = try await other.read(upTo: 1) } }
            let closer = chaos.helper {
                try await chaos.pause()
                try await chaos.pause()
                try one.shutdownWrite()
                one.close()
            }
            try await chaos.strikeAndEnd()
            try await closer.end()
            other.close()
        }
    }

    @Test("connections that are cancelled leave no descriptor watched, on either side")
    func connections() async throws {
        try await chaos(seeds: 200) { chaos in
            let listener = try TCPListener.listen(on: SocketAddress(ip: "127.0.0.1", port: 0))
            let address = try listener.localAddress
            for _ in 0..<3 {
                chaos.worker {
                    let stream = try await TCPStream.connect(to: address)
                    defer { stream.close() }
                    try await stream.write([1])
                }
            }
            let server = chaos.helper {
                try await closedIsFine {
                    while true {
                        let stream = try await listener.accept()
                        defer { stream.close() }
                        await chaos.turns()
                    }
                }
            }
            try await chaos.strikeAndEnd()
            listener.close()
            try await server.end()
        }
    }
}

/// Takes the end that comes of a closed stream for a good one.
private func closedIsFine(_ work: () async throws -> Void) async throws {
    do { try await work() } catch StreamError.closed {}
}
