// Lesson: a server is a loop that accepts, and a task for each connection.
//
//     await asyncio.start_server(serve, …)      for try await stream in listener { spawn { … } }
//     await asyncio.open_connection(…)          try await TCPStream.connect(…)
//     await reader.readline()                   try await reader.readLine()
//     writer.write(data); await writer.drain()  try await stream.write(data)
//
// Where asyncio calls a function back for each connection, a listener is an async sequence of them, and
// what becomes of each is ordinary code. A write awaits until the kernel has taken all of it, so there is
// no drain to forget. A line is nil at the end of the stream.
//
// Server and clients share one thread here, and the bytes go through real sockets. Each time a client
// waits, for its echo or for its next word, the thread serves somebody else: look at how the three
// conversations alternate.

import EventLoop

@MainActor
func streams() throws {
    title("An echo server with three clients, in one program, on one thread")
    try Stage.run {
        section("A says something every second, B every 1.5 s, C every 2.5 s")
        let listener = try TCPListener.listen(on: SocketAddress(ip: "127.0.0.1", port: 0))
        let address = try listener.localAddress
        let server = spawn(name: "server") {
            for try await stream in listener {
                spawn(name: "connection") { try await serve(stream) }
            }
        }
        try await gather([("A", 1), ("B", 1.5), ("C", 2.5)]) { (name, pause) in
            try await talk(to: address, as: name, every: .seconds(pause))
        }
        listener.close()
        try await server.value
        log("the server has stopped")
        total()
    }
    conclude("A connection costs a task, not a thread, and each task reads like a program of its own.")
}

@MainActor
private func serve(_ stream: TCPStream) async throws {
    // while data := await reader.read(4096), in Python: no bytes mean that the client has closed.
    while case let bytes = try await stream.read(upTo: 4096), !bytes.isEmpty {
        try await stream.write(bytes)
    }
    // The stream closes when the last reference to it goes: here. Call close() to be explicit, as below.
}

@MainActor
private func talk(to address: SocketAddress, as name: String, every pause: Duration) async throws {
    let stream = try await TCPStream.connect(to: address)
    // However this function is left: `async with` or `finally` in Python.
    defer { stream.close() }
    let reader = BufferedReader(stream)
    for word in ["hello", "again", "goodbye"] {
        try await stream.write("\(word) from \(name)\n")
        let echo = try await reader.readLine()
        log("\(name)  got back: \(echo ?? "nothing")")
        try await sleep(for: pause)  // Also after the last word, so C leaves at 7.5 s.
    }
}
