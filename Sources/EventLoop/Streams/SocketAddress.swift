import Glibc

/// An IPv4 or IPv6 address and a port.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    private enum Storage: Hashable, Sendable {
        case v4(address: UInt32, port: UInt16)
        case v6(high: UInt64, low: UInt64, port: UInt16, scope: UInt32)
    }

    private let storage: Storage

    /// Reads a numeric address: `127.0.0.1`, `::1`, `fe80::1%eth0`. Names are ``resolve(host:port:)``'s.
    ///
    /// - Throws: ``StreamError/invalidAddress(_:)``.
    public init(ip: String, port: Int) throws {
        guard let port = UInt16(exactly: port) else {
            throw StreamError.invalidAddress("port \(port) is not in 0 … 65535")
        }
        guard let address = SocketAddress(numeric: ip, port: port) else {
            throw StreamError.invalidAddress("\"\(ip)\" is not an IPv4 or IPv6 address")
        }
        self = address
    }

    init?(numeric text: String, port: UInt16) {
        // C would read up to the NUL only.
        guard !text.utf8.contains(0) else { return nil }
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            storage = .v4(address: v4.s_addr, port: port)
            return
        }
        let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        var v6 = in6_addr()
        guard let ip = parts.first, inet_pton(AF_INET6, String(ip), &v6) == 1 else { return nil }
        var scope: UInt32 = 0
        if parts.count == 2 {
            scope = UInt32(parts[1]) ?? if_nametoindex(String(parts[1]))
            if scope == 0 { return nil }
        }
        let (high, low) = unsafeBitCast(v6, to: (UInt64, UInt64).self)
        storage = .v6(high: high, low: low, port: port, scope: scope)
    }

    /// Reads what the kernel or the resolver wrote. Nil: neither IPv4 nor IPv6.
    init?(_ address: UnsafePointer<sockaddr>) {
        switch CInt(address.pointee.sa_family) {
        case AF_INET:
            let v4 = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self)
            storage = .v4(address: v4.sin_addr.s_addr, port: UInt16(bigEndian: v4.sin_port))
        case AF_INET6:
            let v6 = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self)
            let (high, low) = unsafeBitCast(v6.sin6_addr, to: (UInt64, UInt64).self)
            storage = .v6(
                high: high, low: low, port: UInt16(bigEndian: v6.sin6_port), scope: v6.sin6_scope_id)
        default:
            return nil
        }
    }

    /// Asks the kernel by getsockname or getpeername.
    init(
        asking call: (CInt, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> CInt,
        named name: String, of fileDescriptor: CInt
    ) throws {
        guard fileDescriptor >= 0 else { throw StreamError.closed }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let address = try withUnsafeMutablePointer(to: &storage) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                guard call(fileDescriptor, pointer, &length) == 0 else { throw SystemError(name) }
                return SocketAddress(pointer)
            }
        }
        guard let address else { throw SystemError(call: name, code: EAFNOSUPPORT) }
        self = address
    }

    /// AF_INET or AF_INET6.
    var family: CInt {
        switch storage {
        case .v4: AF_INET
        case .v6: AF_INET6
        }
    }

    /// The port, 0 … 65535.
    public var port: Int {
        switch storage {
        case .v4(_, let port), .v6(_, _, let port, _): Int(port)
        }
    }

    /// The address without the port, as in `127.0.0.1` or `fe80::1%2`.
    public var ip: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        var suffix = ""
        switch storage {
        case .v4(let address, _):
            var v4 = in_addr(s_addr: address)
            inet_ntop(AF_INET, &v4, &text, socklen_t(text.count))
        case .v6(let high, let low, _, let scope):
            var v6 = unsafeBitCast((high, low), to: in6_addr.self)
            inet_ntop(AF_INET6, &v6, &text, socklen_t(text.count))
            if scope != 0 { suffix = "%\(scope)" }
        }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) + suffix
    }

    /// `127.0.0.1:80` or `[::1]:80`.
    public var description: String {
        family == AF_INET ? "\(ip):\(port)" : "[\(ip)]:\(port)"
    }

    /// Lends the address in the kernel's form.
    func withSockaddr<Result>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Result
    ) rethrows -> Result {
        switch storage {
        case .v4(let address, let port):
            var v4 = sockaddr_in()
            v4.sin_family = sa_family_t(AF_INET)
            v4.sin_port = port.bigEndian
            v4.sin_addr.s_addr = address
            return try Self.lend(&v4, to: body)
        case .v6(let high, let low, let port, let scope):
            var v6 = sockaddr_in6()
            v6.sin6_family = sa_family_t(AF_INET6)
            v6.sin6_port = port.bigEndian
            v6.sin6_addr = unsafeBitCast((high, low), to: in6_addr.self)
            v6.sin6_scope_id = scope
            return try Self.lend(&v6, to: body)
        }
    }

    private static func lend<Address, Result>(
        _ address: inout Address, to body: (UnsafePointer<sockaddr>, socklen_t) throws -> Result
    ) rethrows -> Result {
        try withUnsafePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                try body(pointer, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }
}
