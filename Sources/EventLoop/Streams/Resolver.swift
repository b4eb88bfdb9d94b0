import Glibc

extension SocketAddress {
    /// Finds the addresses of a host, numeric or by name, in the order in which to try them.
    ///
    /// A numeric address costs nothing. A name is looked up by getaddrinfo(3), which blocks and cannot be
    /// interrupted, by one of eight threads that do nothing else: slow lookups and other blocking work do
    /// not hold each other up. When the task is cancelled, the await ends at once, and the lookup whenever
    /// it does.
    ///
    /// - Throws: ``StreamError/unknownHost(host:reason:)``, ``StreamError/invalidAddress(_:)``,
    ///   ``SystemError`` when no thread can be started, `CancellationError`.
    /// - Precondition: A loop runs on this thread.
    public static func resolve(host: String, port: Int) async throws -> [SocketAddress] {
        try await Resolver.system.resolve(host: host, port: port)
    }
}

/// Finds addresses of names, on threads of its own.
struct Resolver: Sendable {
    static let system = Resolver(pool: ThreadPool(size: 8, name: "lookup"), lookUp: lookUpBySystem)

    let pool: ThreadPool
    /// Blocks until the addresses of the host are known.
    let lookUp: @Sendable (_ host: String, _ port: UInt16) throws -> [SocketAddress]

    func resolve(host: String, port: Int) async throws -> [SocketAddress] {
        let engine = EventLoop.current(for: "SocketAddress.resolve").engine
        guard let port = UInt16(exactly: port) else {
            throw StreamError.invalidAddress("port \(port) is not in 0 … 65535")
        }
        if let address = SocketAddress(numeric: host, port: port) { return [address] }
        guard !host.utf8.contains(0) else { throw StreamError.invalidAddress("a host name with a NUL") }
        return try await engine.offload(to: pool, for: .lookup, onCancel: .abandon) { [lookUp] in
            try lookUp(host, port)
        }
    }
}

private func lookUpBySystem(host: String, port: UInt16) throws -> [SocketAddress] {
    var hints = addrinfo()
    hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, String(port), &hints, &list)
    guard code == 0 else {
        if code == EAI_SYSTEM { throw SystemError("getaddrinfo") }
        throw StreamError.unknownHost(host: host, reason: String(cString: gai_strerror(code)))
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
    return addresses
}
