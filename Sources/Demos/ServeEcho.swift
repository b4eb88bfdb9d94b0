// Lesson: a server that ends as it should, when it is told to.
//
// Signals come as an async sequence (loop.add_signal_handler in Python), so the answer to one is ordinary
// code: stop accepting, let what is under way end, say goodbye. Try it with `nc 127.0.0.1 PORT`.

import EventLoop
import Glibc

@MainActor
func serveEcho(port: Int) throws {
    try serveUntilSignal("Bytes echoed") {
        try Server(port: port) { stream, server in EchoConnection(stream, server: server) }
    }
}

/// Runs a server in the process's event loop until SIGINT or SIGTERM; a second one ends the process at once.
func serveUntilSignal(_ unit: String, _ makeServer: @escaping @Sendable () throws -> Server) throws {
    try EventLoop.run {
        let server = try makeServer()
        let signals = try Signals([SIGINT, SIGTERM])
        print("Listening on \(try server.address). Ctrl-C ends it.")
        spawn(name: "signals") {
            for try await _ in signals {
                signals.close()
                print("Stopping.")
                server.stop()
            }
        }
        try await server.run()
        print("Connections served: \(server.connectionCount). \(unit): \(server.servedCount).")
    }
}

/// Sends back what comes.
private final class EchoConnection: Connection, @unchecked Sendable {
    private let stream: TCPStream
    private let server: Server
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 1)
    private(set) var isIdle = true

    init(_ stream: TCPStream, server: Server) {
        self.stream = stream
        self.server = server
    }

    deinit {
        buffer.deallocate()
    }

    func serve() async throws {
        while !server.isStopping {
            isIdle = true
            let count = try await stream.read(into: buffer)
            if count == 0 { return }
            isIdle = false
            try await stream.writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            server.servedCount += count
        }
    }
}
