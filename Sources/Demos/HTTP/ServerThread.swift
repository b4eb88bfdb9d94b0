import EventLoop
import Glibc
import Synchronization

/// The HTTP server on an event loop of its own, in a thread of its own.
///
/// That is the loop's instance mode: `EventLoop()` belongs to whichever thread runs it, so a process can have
/// one on each core.
final class ServerThread: Sendable {
    private let loop: EventLoop
    private let thread: pthread_t
    private let server: Server
    let port: Int

    /// Returns when the server listens.
    init() throws {
        let started = Startup(loop: try EventLoop())
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<Startup>.fromOpaque(argument!).takeRetainedValue().runServer()
                return nil
            }, Unmanaged.passRetained(started).toOpaque())
        guard code == 0 else { throw SystemError(call: "pthread_create", code: code) }
        (server, port) = try started.wait()
        loop = started.loop
        self.thread = thread
    }

    /// Returns when the thread has ended.
    func stop() {
        loop.callSoonThreadSafe { [server] in server.stop() }
        pthread_join(thread, nil)
    }
}

/// How the thread tells the one that started it how that went.
private final class Startup: @unchecked Sendable {
    let loop: EventLoop
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    private var result: Result<(Server, port: Int), any Error>?

    init(loop: EventLoop) {
        self.loop = loop
        sem_init(semaphore, 0, 0)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func wait() throws -> (Server, port: Int) {
        while sem_wait(semaphore) != 0 {}
        return try result!.get()
    }

    func runServer() {
        // What run() can throw is that the listening socket failed; the clients will notice.
        try? loop.run { [self] in
            let server = Result { try httpServer(port: 0) }
            result = server.flatMap { server in Result { (server, try server.address.port) } }
            sem_post(semaphore)
            try await server.get().run()
        }
    }
}
