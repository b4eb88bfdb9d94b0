import Glibc

/// A listening TCP socket: a sequence of connections.
///
///     let listener = try TCPListener.listen(on: SocketAddress(ip: "127.0.0.1", port: 8080))
///     for try await stream in listener {
///         spawn { try await serve(stream) }
///     }
///
/// The sequence ends when the listener is closed. Bound to its loop's thread; use from another traps.
public final class TCPListener: AsyncSequence, @unchecked Sendable {
    let descriptor: Descriptor

    private init(_ descriptor: Descriptor) {
        self.descriptor = descriptor
    }

    deinit {
        descriptor.closeFromAnywhere()
    }

    // MARK: - Listening

    /// Listens on an address of this machine.
    ///
    /// - Parameters:
    ///   - address: Port 0 lets the kernel choose one: see ``localAddress``. The IPv6 address `::` takes
    ///     IPv4 connections as well.
    ///   - backlog: How many connections may wait to be accepted; the kernel cuts it down to
    ///     net.core.somaxconn.
    ///   - reuseAddress: Lets the address be taken while old connections linger in TIME_WAIT.
    ///   - reusePort: Lets several sockets listen on the same port; the kernel spreads connections over them.
    /// - Throws: ``SystemError``, such as EADDRINUSE or EACCES of bind.
    /// - Precondition: A loop runs on this thread.
    public static func listen(
        on address: SocketAddress, backlog: Int = 4096, reuseAddress: Bool = true, reusePort: Bool = false
    ) throws -> TCPListener {
        let engine = EventLoop.current(for: "TCPListener.listen").engine
        let descriptor = Descriptor(try openSocket(for: address), engine: engine)
        let fileDescriptor = descriptor.fileDescriptor
        if reuseAddress { try setOption(SO_REUSEADDR, level: SOL_SOCKET, to: 1, of: fileDescriptor) }
        if reusePort { try setOption(SO_REUSEPORT, level: SOL_SOCKET, to: 1, of: fileDescriptor) }
        if address.family == AF_INET6 {
            try setOption(IPV6_V6ONLY, level: CInt(IPPROTO_IPV6), to: 0, of: fileDescriptor)
        }
        // Accepted sockets inherit it: no system call for each of them.
        try setOption(TCP_NODELAY, level: CInt(IPPROTO_TCP), to: 1, of: fileDescriptor)
        guard address.withSockaddr({ bind(fileDescriptor, $0, $1) }) == 0 else { throw SystemError("bind") }
        guard Glibc.listen(fileDescriptor, CInt(clamping: backlog)) == 0 else { throw SystemError("listen") }
        return TCPListener(descriptor)
    }

    /// Listens on the first address of a host, given by name or address. Otherwise like
    /// ``listen(on:backlog:reuseAddress:reusePort:)``.
    public static func listen(
        host: String, port: Int, backlog: Int = 4096, reuseAddress: Bool = true, reusePort: Bool = false
    ) async throws -> TCPListener {
        let addresses = try await SocketAddress.resolve(host: host, port: port)
        guard let address = addresses.first else {
            throw StreamError.unknownHost(host: host, reason: "no addresses")
        }
        return try listen(on: address, backlog: backlog, reuseAddress: reuseAddress, reusePort: reusePort)
    }

    /// The address it listens on, with the port that the kernel chose.
    public var localAddress: SocketAddress {
        get throws {
            try SocketAddress(
                asking: getsockname, named: "getsockname",
                of: descriptor.openNumber(for: "TCPListener.localAddress"))
        }
    }

    // MARK: - Accepting

    /// The next connection.
    ///
    /// When the process or the system is out of descriptors or memory (EMFILE, ENFILE, ENOBUFS, ENOMEM), it
    /// waits a little and tries again: the connection stays in the backlog. A connection that failed before
    /// it was accepted (ECONNABORTED and the network errors that accept(2) passes on) is skipped.
    ///
    /// - Throws: ``StreamError/closed`` when the listener is closed, ``SystemError``, `CancellationError`.
    public func accept() async throws -> TCPStream {
        try await accept { Reactor.accept($0) }
    }

    /// - Parameter attempt: The system call. Returns the descriptor or a negated errno.
    @inline(__always)
    func accept(attempting attempt: (CInt) -> Int) async throws -> TCPStream {
        while true {
            do {
                // One at a time: "drained" is what EAGAIN says.
                let accepted = try await descriptor.read(full: 0, call: "accept4", attempt)
                return TCPStream(Descriptor(CInt(accepted), engine: descriptor.engine))
            } catch let error as SystemError {
                switch error.code {
                case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                    try await descriptor.waitReadable(atMost: Self.pauseWhenExhausted)
                case ECONNABORTED, EPROTO, EPERM, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH,
                    EOPNOTSUPP, ENETUNREACH:
                    continue
                default:
                    throw error
                }
            }
        }
    }

    static let pauseWhenExhausted = Duration.milliseconds(50)

    /// Stops listening; a task that waits in ``accept()`` gets ``StreamError/closed``, and iteration ends.
    public func close() {
        descriptor.engine.assertMayBeUsedHere("TCPListener.close()")
        descriptor.close()
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let listener: TCPListener

        /// The next connection; nil once the listener is closed.
        public mutating func next() async throws -> TCPStream? {
            do {
                return try await listener.accept()
            } catch StreamError.closed {
                return nil
            }
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> TCPStream? {
            try await next()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(listener: self)
    }
}
