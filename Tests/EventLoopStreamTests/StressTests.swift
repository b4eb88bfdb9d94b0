import Glibc
import TestSupport
import Testing

@testable import EventLoop

/// Many connections that are cancelled and closed at random: what was acknowledged comes back, nothing is
/// left.
struct StressTests {
    @Test(arguments: [1, 2, 3] as [UInt64])
    func everyAcknowledgedByteComesBack(seed: UInt64) async throws {
        try await onLoop {
            var random = SeededGenerator(seed: seed)
            let listener = try TCPListener.listen(on: anyPort)
            let address = try listener.localAddress
            let server = spawn {
                for try await stream in listener {
                    spawn {
                        // Ends by the peer's end, or by its reset when a client closes with bytes to come.
                        do {
                            while case let bytes = try await stream.read(upTo: 8192), !bytes.isEmpty {
                                try await stream.write(bytes)
                            }
                        } catch is SystemError {}
                    }
                }
            }
            let clients: [() async throws -> Int] = (0..<50).map { _ in
                let seed = random.next()
                return { try await EchoClient(address: address, seed: seed).exchange(messages: 200) }
            }
            let counts = try await gather(clients) { try await $0() }
            #expect(counts.reduce(0, +) > 5000)
            listener.close()
            try await server.value
            await until { engine.tasks.count == 0 }
        }
    }
}

/// A client of an echo server that breaks off now and then.
private final class EchoClient: @unchecked Sendable {
    private let address: SocketAddress
    private var random: SeededGenerator
    private var reader: BufferedReader<TCPStream>?
    private var acknowledged = 0

    init(address: SocketAddress, seed: UInt64) {
        self.address = address
        random = SeededGenerator(seed: seed)
    }

    /// Returns how many messages came back.
    func exchange(messages: Int) async throws -> Int {
        for number in 0..<messages {
            if reader == nil { reader = BufferedReader(try await TCPStream.connect(to: address)) }
            let stream = reader!.stream
            let message = pattern(Int.random(in: 1...20_000, using: &random), seed: UInt32(number))
            guard try await write(message, to: stream) else {
                // Nobody knows how much of it was sent.
                drop()
                continue
            }
            if chance(1, in: 50) {
                drop()
                continue
            }
            #expect(same(try await readBack(message.count), message))
            acknowledged += 1
        }
        drop()
        return acknowledged
    }

    private func chance(_ count: Int, in total: Int) -> Bool {
        Int.random(in: 0..<total, using: &random) < count
    }

    /// Closes it, one way or another.
    private func drop() {
        if chance(1, in: 2) { reader?.stream.close() }
        reader = nil
    }

    private func write(_ message: [UInt8], to stream: TCPStream) async throws -> Bool {
        guard chance(1, in: 20) else {
            try await stream.write(message)
            return true
        }
        let task = spawn { try await stream.write(message) }
        await turns(Int.random(in: 0...3, using: &random))
        task.cancel()
        switch await task.result {
        case .success: return true
        case .failure(let error):
            if !(error is CancellationError) { throw error }
            return false
        }
    }

    /// Reads a message, and begins again when a read was cancelled, which loses nothing.
    private func readBack(_ count: Int) async throws -> [UInt8] {
        while true {
            guard chance(1, in: 10) else { return try await reader!.read(exactly: count) }
            let task = spawn { [self] in try await reader!.read(exactly: count) }
            await turns(Int.random(in: 0...3, using: &random))
            task.cancel()
            switch await task.result {
            case .success(let bytes): return bytes
            case .failure(let error):
                if !(error is CancellationError) { throw error }
            }
        }
    }
}
