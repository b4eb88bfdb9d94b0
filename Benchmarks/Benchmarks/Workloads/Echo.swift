import CFloor
import EventLoop
import Glibc

func echoWorkload(connections: Int) -> Workload {
    Workload(
        name: "echo-\(connections)",
        summary: "TCP echo of 64-byte messages, one under way on each of \(connections) connections",
        section: .floorAndLoop,
        isPinned: true,
        variants: [
            Variant(name: "floor") { try serveOnFloor(connections: connections, $0) },
            Variant(name: "EventLoop") { try serveOnLoop(connections: connections, $0) },
        ],
        measures: [
            Measure(figure: "messages_per_second", label: "messages", unit: .perSecond, better: .higher),
            Measure(figure: "cpu_per_message_ns", label: "server CPU a message", unit: .nanoseconds),
        ] + Measure.latency("latency")
    )
}

private func serveOnFloor(connections: Int, _ conditions: Conditions) throws -> Figures {
    var port: UInt16 = 0
    let listening = try check(floor_listen(&port), "listen")
    defer { close(listening) }
    let client = try Helper.startEchoClient(port: Int(port), connections: connections, conditions: conditions)
    let meter = Meter()
    try check(floor_serve_echo(listening, Int32(connections)), "serve echo")
    return try figures(meter, client)
}

private func serveOnLoop(connections: Int, _ conditions: Conditions) throws -> Figures {
    try EventLoop.run {
        let listener = try await TCPListener.listen(host: "127.0.0.1", port: 0)
        let client = try Helper.startEchoClient(
            port: listener.localAddress.port, connections: connections, conditions: conditions)
        // Like the floor's: with the client's start behind it, and with the end of the last connection.
        let meter = Meter()
        var servers: [LoopTask<Void>] = []
        for try await stream in listener {
            servers.append(spawn(name: "echo") { try await echo(stream) })
            if servers.count == connections { break }
        }
        for server in servers { try await server.value }
        return try figures(meter, client)
    }
}

private func echo(_ stream: TCPStream) async throws {
    defer { stream.close() }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
    defer { buffer.deallocate() }
    while true {
        let count = try await stream.read(into: buffer)
        if count == 0 { return }
        try await stream.writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
}

private func figures(_ meter: Meter, _ client: ChildProcess) throws -> Figures {
    var figures = meter.figures
    figures.merge(try client.figures(within: 5))
    if let cpu = figures["cpu_ns"], let messages = figures["all_messages"] {
        figures["cpu_per_message_ns"] = cpu / messages
    }
    return figures
}
