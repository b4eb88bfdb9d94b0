import EventLoop

/// What a server does with one connection.
protocol Connection: AnyObject, Sendable {
    /// Whether nothing would be lost if it ended now.
    var isIdle: Bool { get }

    func serve() async throws
}

/// Accepts connections, runs a task for each of them, and ends without cutting anybody short.
///
/// Bound to the thread of its loop, like the streams that it deals in.
final class Server: @unchecked Sendable {
    private let listener: TCPListener
    private let grace: Duration
    private let makeConnection: (TCPStream, Server) -> any Connection
    private var open: [ObjectIdentifier: (connection: any Connection, task: LoopTask<Void>)] = [:]
    private(set) var isStopping = false
    private(set) var connectionCount = 0
    /// Requests, bytes, or whatever else the connections count.
    var servedCount = 0

    /// - Parameters:
    ///   - port: Of this machine's loopback address; 0 lets the kernel choose one.
    ///   - grace: How long a request under way may take once the server is to stop.
    init(
        port: Int, grace: Duration = .seconds(5),
        _ makeConnection: @escaping (TCPStream, Server) -> any Connection
    ) throws {
        let address = try SocketAddress(ip: "127.0.0.1", port: port)
        do {
            listener = try TCPListener.listen(on: address)
        } catch {
            throw CannotListen(address: address, reason: error)
        }
        self.grace = grace
        self.makeConnection = makeConnection
    }

    var address: SocketAddress { get throws { try listener.localAddress } }

    /// Serves until ``stop()``, and until what was under way then has ended.
    func run() async throws {
        for try await stream in listener { accept(stream) }
        let deadline = EventLoop.current.callLater(grace) { [self] in
            for entry in open.values { entry.task.cancel() }
        }
        while let entry = open.values.first { _ = await entry.task.result }
        deadline.cancel()
    }

    /// Stops accepting. Idle connections end at once, the others with the request that they are at.
    func stop() {
        isStopping = true
        listener.close()
        for entry in open.values where entry.connection.isIdle { entry.task.cancel() }
    }

    private func accept(_ stream: TCPStream) {
        connectionCount += 1
        let connection = makeConnection(stream, self)
        let task = spawn(name: "connection") { [self] in
            // That the other side has gone, or that time was up, ends this connection and nothing else.
            try? await connection.serve()
            stream.close()
            open[ObjectIdentifier(connection)] = nil
        }
        open[ObjectIdentifier(connection)] = (connection, task)
    }
}

struct CannotListen: Error, CustomStringConvertible {
    let address: SocketAddress
    let reason: any Error

    var description: String { "cannot listen on \(address): \(reason)" }
}
