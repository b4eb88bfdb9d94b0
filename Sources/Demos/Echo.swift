// Lesson: a server is a loop that accepts, and a task for each connection.
//
// In Python this is asyncio.start_server and asyncio.open_connection. Server and clients share a thread here;
// the bytes go through real sockets. A listener is an async sequence of connections, and a `BufferedReader`
// reads lines. Nothing is left open: the clients' streams close at the end of their scope, which the
// server reads as the end of the stream.

import EventLoop

@MainActor
func echo() throws {
    title("An echo server with three clients, in one program, on one thread")
    show("")
    try Stage.run {
        let listener = try TCPListener.listen(on: SocketAddress(ip: "127.0.0.1", port: 0))
        let address = try listener.localAddress
        let server = spawn(name: "server") {
            for try await stream in listener {
                spawn(name: "connection") { try await serveEcho(stream) }
            }
        }
        try await gather(["one", "two", "three"]) { name in
            try await talk(to: address, as: name)
        }
        listener.close()
        try await server.value
        log("server  has stopped")
    }
}

@MainActor
private func serveEcho(_ stream: TCPStream) async throws {
    while case let bytes = try await stream.read(upTo: 4096), !bytes.isEmpty {
        try await stream.write(bytes)
    }
}

@MainActor
private func talk(to address: SocketAddress, as name: String) async throws {
    let stream = try await TCPStream.connect(to: address)
    defer { stream.close() }
    let reader = BufferedReader(stream)
    for word in ["hello", "again", "goodbye"] {
        try await stream.write("\(word) from \(name)\n")
        log("\(name.padded(to: 6))  got back: \(try await reader.readLine() ?? "nothing")")
        try await sleep(for: .milliseconds(300))
    }
}
