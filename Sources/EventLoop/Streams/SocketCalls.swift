import Glibc

/// Opens a non-blocking TCP socket that programs started later do not inherit.
func openSocket(for address: SocketAddress) throws -> CInt {
    let kind = CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let fileDescriptor = socket(address.family, kind, 0)
    guard fileDescriptor >= 0 else { throw SystemError("socket") }
    return fileDescriptor
}

/// Sets an integer option.
func setOption(_ name: CInt, level: CInt, to value: CInt, of fileDescriptor: CInt) throws {
    guard fileDescriptor >= 0 else { throw StreamError.closed }
    var value = value
    let size = socklen_t(MemoryLayout<CInt>.size)
    guard setsockopt(fileDescriptor, level, name, &value, size) == 0 else { throw SystemError("setsockopt") }
}

/// Reads an integer option.
func option(_ name: CInt, level: CInt, of fileDescriptor: CInt) throws -> CInt {
    guard fileDescriptor >= 0 else { throw StreamError.closed }
    var value: CInt = 0
    var size = socklen_t(MemoryLayout<CInt>.size)
    guard getsockopt(fileDescriptor, level, name, &value, &size) == 0 else { throw SystemError("getsockopt") }
    return value
}
