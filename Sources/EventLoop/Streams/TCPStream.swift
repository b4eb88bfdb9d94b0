import Glibc

/// A TCP connection: bytes in order in both directions.
///
/// One task may read while another writes; several may write, and each call's bytes stay together. Small
/// writes are sent at once (TCP_NODELAY). Closed when the last reference is gone, at the latest.
///
/// Bound to its loop's thread; use from another traps.
public final class TCPStream: ByteStream, @unchecked Sendable {
    let descriptor: Descriptor

    init(_ descriptor: Descriptor) {
        self.descriptor = descriptor
    }

    deinit {
        descriptor.closeFromAnywhere()
    }

    // MARK: - Connecting

    /// Connects to a host, given by name or address, trying its addresses one after another.
    ///
    /// - Throws: ``SystemError`` of the last address tried (such as ECONNREFUSED), the errors of
    ///   ``SocketAddress/resolve(host:port:)``, `CancellationError`. No descriptor is left behind.
    /// - Precondition: A loop runs on this thread.
    public static func connect(host: String, port: Int) async throws -> TCPStream {
        let addresses = try await SocketAddress.resolve(host: host, port: port)
        guard let stream = try await connect(toFirstOf: addresses) else {
            throw StreamError.unknownHost(host: host, reason: "no addresses")
        }
        return stream
    }

    /// Connects to the first address that answers. Nil: there is none to try.
    static func connect(toFirstOf addresses: [SocketAddress]) async throws -> TCPStream? {
        var lastError: SystemError?
        for address in addresses {
            do {
                return try await connect(to: address)
            } catch let error as SystemError {
                lastError = error
            }
        }
        if let lastError { throw lastError }
        return nil
    }

    /// Connects to an address.
    ///
    /// - Throws: ``SystemError`` (such as ECONNREFUSED), `CancellationError`. No descriptor is left behind.
    /// - Precondition: A loop runs on this thread.
    public static func connect(to address: SocketAddress) async throws -> TCPStream {
        let engine = EventLoop.current(for: "TCPStream.connect").engine
        let descriptor = Descriptor(try openSocket(for: address), engine: engine)
        // A descriptor that was watched is held by the loop's table, so its end must be told.
        var isConnected = false
        defer { if !isConnected { descriptor.close() } }
        try setOption(TCP_NODELAY, level: CInt(IPPROTO_TCP), to: 1, of: descriptor.fileDescriptor)
        let result = address.withSockaddr { Glibc.connect(descriptor.fileDescriptor, $0, $1) }
        // EINTR, too, leaves the connection under way (connect(2)).
        if result < 0 {
            guard errno == EINPROGRESS || errno == EINTR else { throw SystemError("connect") }
            try await descriptor.waitForFirstWritable()
            let code = try option(SO_ERROR, level: SOL_SOCKET, of: descriptor.fileDescriptor)
            guard code == 0 else { throw SystemError(call: "connect", code: code) }
        }
        isConnected = true
        return TCPStream(descriptor)
    }

    // MARK: - Reading

    public func read(into buffer: UnsafeMutableRawBufferPointer) async throws -> Int {
        precondition(!buffer.isEmpty, "Reading into an empty buffer would look like the end of the stream.")
        return try await descriptor.read(full: buffer.count, call: "recv") { fileDescriptor in
            orNegatedErrno(recv(fileDescriptor, buffer.baseAddress, buffer.count, 0))
        }
    }

    /// Reads what is there, at least one byte and at most `count`, or 1 MiB.
    ///
    /// - Returns: The bytes; empty at the end of the stream.
    public func read(upTo count: Int) async throws -> [UInt8] {
        precondition(count > 0, "Reading no bytes would look like the end of the stream.")
        // The memory is there before the bytes are, so not for as many as the caller would take.
        let count = min(count, 1 << 20)
        var bytes: [UInt8] = []
        _ = try await descriptor.read(full: count, call: "recv") { fileDescriptor in
            var received = 0
            bytes = Array(unsafeUninitializedCapacity: count) { buffer, used in
                received = orNegatedErrno(recv(fileDescriptor, buffer.baseAddress, count, 0))
                used = max(received, 0)
            }
            return received
        }
        return bytes
    }

    // MARK: - Writing

    public func writeAll(_ buffer: UnsafeRawBufferPointer) async throws {
        try await descriptor.writeAll(buffer.count, call: "send") { fileDescriptor, offset in
            sendSome(fileDescriptor, buffer, from: offset)
        }
    }

    /// Writes all bytes. Otherwise like ``writeAll(_:)``.
    public func write(_ bytes: [UInt8]) async throws {
        try await descriptor.writeAll(bytes.count, call: "send") { fileDescriptor, offset in
            bytes.withUnsafeBytes { sendSome(fileDescriptor, $0, from: offset) }
        }
    }

    /// Writes a string in UTF-8. Otherwise like ``writeAll(_:)``.
    public func write(_ text: String) async throws {
        try await write(Array(text.utf8))
    }

    /// Tells the peer that no more will come (it reads the end), while this side can still read.
    ///
    /// Not while a write waits: its bytes would be cut off.
    ///
    /// - Throws: ``StreamError/closed``, ``SystemError`` (ENOTCONN when the peer has reset the connection).
    public func shutdownWrite() throws {
        descriptor.engine.assertOnLoop("shutdownWrite()")
        guard !descriptor.isClosed else { throw StreamError.closed }
        if shutdown(descriptor.fileDescriptor, CInt(SHUT_WR)) < 0 { throw SystemError("shutdown") }
    }

    // MARK: - The rest

    public func close() {
        descriptor.engine.assertMayBeUsedHere("TCPStream.close()")
        descriptor.close()
    }

    /// Whether this side has closed it. (That the peer has, a read tells.)
    public var isClosed: Bool {
        descriptor.engine.assertMayBeUsedHere("TCPStream.isClosed")
        return descriptor.isClosed
    }

    /// This end's address.
    public var localAddress: SocketAddress {
        get throws {
            try SocketAddress(
                asking: getsockname, named: "getsockname",
                of: descriptor.openNumber(for: "TCPStream.localAddress"))
        }
    }

    /// The other end's address.
    public var peerAddress: SocketAddress {
        get throws {
            try SocketAddress(
                asking: getpeername, named: "getpeername",
                of: descriptor.openNumber(for: "TCPStream.peerAddress"))
        }
    }

    /// Whether small writes are sent at once instead of being collected (Nagle's algorithm). True at first.
    public func setNoDelay(_ isOn: Bool) throws {
        let number = try descriptor.openNumber(for: "TCPStream.setNoDelay")
        try setOption(TCP_NODELAY, level: CInt(IPPROTO_TCP), to: isOn ? 1 : 0, of: number)
    }
}
