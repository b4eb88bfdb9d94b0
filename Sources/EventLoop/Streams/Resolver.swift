import Glibc
import Synchronization

extension SocketAddress {
    /// Finds the addresses of a host, numeric or by name, in the order in which to try them.
    ///
    /// A numeric address costs nothing. A name is looked up by getaddrinfo(3), which blocks and cannot be
    /// interrupted, on a thread of its own; when the task is cancelled, the await ends at once, and the
    /// thread whenever the lookup does.
    ///
    /// - Throws: ``StreamError/unknownHost(host:reason:)``, ``StreamError/invalidAddress(_:)``,
    ///   ``SystemError`` when no thread can be started, `CancellationError`.
    /// - Precondition: A loop runs on this thread.
    public static func resolve(host: String, port: Int) async throws -> [SocketAddress] {
        let engine = EventLoop.current(for: "SocketAddress.resolve").engine
        guard let port = UInt16(exactly: port) else {
            throw StreamError.invalidAddress("port \(port) is not in 0 … 65535")
        }
        if let address = SocketAddress(numeric: host, port: port) { return [address] }
        guard !host.utf8.contains(0) else { throw StreamError.invalidAddress("a host name with a NUL") }
        // No thread for nobody.
        try Task.checkCancellation()
        let lookup = Lookup(host: host, port: port, engine: engine)
        let token = engine.reserveWait(for: .lookup)
        lookup.start(waking: token)
        if await engine.park(token) == .cancelled { throw CancellationError() }
        return try lookup.takeResult()
    }
}

/// One blocking lookup on a thread of its own.
private final class Lookup: Sendable {
    private let host: String
    private let port: UInt16
    private let engine: Engine
    private let result = Mutex<Result<[SocketAddress], any Error>?>(nil)

    init(host: String, port: UInt16, engine: Engine) {
        self.host = host
        self.port = port
        self.engine = engine
    }

    func start(waking token: WaiterToken) {
        let code = startThread { [self] in
            finish(with: lookUp(), waking: token)
        }
        if code != 0 {
            finish(with: .failure(SystemError(call: "pthread_create", code: code)), waking: token)
        }
    }

    func takeResult() throws -> [SocketAddress] {
        try result.withLock { $0! }.get()
    }

    private func finish(with outcome: Result<[SocketAddress], any Error>, waking token: WaiterToken) {
        result.withLock { $0 = outcome }
        // Not retained: it lies in the engine's own inbox, perhaps for good when the loop has ended.
        engine.post(.perform { [unowned(unsafe) engine] in engine.wake(token) })
    }

    private func lookUp() -> Result<[SocketAddress], any Error> {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else {
            if code == EAI_SYSTEM { return .failure(SystemError("getaddrinfo")) }
            return .failure(StreamError.unknownHost(host: host, reason: String(cString: gai_strerror(code))))
        }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let entry = next {
            if let address = entry.pointee.ai_addr.flatMap({ SocketAddress($0) }),
                !addresses.contains(address)
            {
                addresses.append(address)
            }
            next = entry.pointee.ai_next
        }
        return .success(addresses)
    }
}

/// Starts a detached thread. Returns 0 or the error number.
func startThread(_ body: @escaping @Sendable () -> Void) -> CInt {
    final class Box {
        let body: @Sendable () -> Void; init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
    let box = Unmanaged.passRetained(Box(body))
    var thread = pthread_t()
    let code = pthread_create(
        &thread, &attributes,
        { argument in
            Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
            return nil
        }, box.toOpaque())
    if code != 0 { box.release() }
    return code
}
