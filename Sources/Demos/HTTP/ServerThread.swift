import EventLoop

/// The HTTP server on an event loop of its own, in a thread of its own, in the lesson's time.
///
/// That is the loop's instance mode: `EventLoop()` belongs to whichever thread runs it, so a process can have
/// one on each core. A LoopThread is such a loop with its thread.
final class ServerThread: Sendable {
    private let thread: LoopThread
    private let server: Server
    private let serving: ThreadSafeTask<Void>
    let address: SocketAddress

    /// Returns when the server listens.
    @MainActor
    init() throws {
        let lapseFactor = Stage.lapseFactor
        thread = try LoopThread(name: "server")
        (server, address) = try thread.loop.spawnThreadSafe {
            let server = try httpServer(port: 0, lapseFactor: lapseFactor)
            return (server, try server.address)
        }.wait()
        let server = server
        serving = thread.loop.spawnThreadSafe { try await server.run() }
    }

    func url(_ path: String) -> HTTPURL { HTTPURL(address: address, path: path) }

    /// Returns when what was under way has been served, and the thread has ended.
    func stop() {
        thread.loop.callSoonThreadSafe { [server] in server.stop() }
        // What it can throw is that the listening socket failed; the clients will have noticed.
        try? serving.wait()
        thread.stop()
        thread.join()
    }
}
