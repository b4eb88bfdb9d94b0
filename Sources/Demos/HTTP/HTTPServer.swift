import EventLoop

/// An HTTP/1.1 server for ``HTTPRoute``'s paths: GET and HEAD, keep-alive, pipelining.
///
/// - Parameter lapseFactor: How many times as fast it serves delays.
func httpServer(port: Int, lapseFactor: Int = 1) throws -> Server {
    let date = HTTPDate()
    return try Server(port: port) { stream, server in
        HTTPConnection(stream, server: server, date: date, lapseFactor: lapseFactor)
    }
}

/// Lends the address of an HTTP server that runs as a task of the current loop, and on its clock.
@MainActor
func withHTTPServer(_ body: (SocketAddress) async throws -> Void) async throws {
    let server = try httpServer(port: 0)
    spawn(name: "server") { try await server.run() }
    defer { server.stop() }
    try await body(server.address)
}
