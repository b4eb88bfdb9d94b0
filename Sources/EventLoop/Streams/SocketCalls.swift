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

/// A system call's result with its error in place of -1: the negated errno, read before anything else can
/// set it, such as the memory that an attempt gives back.
@inline(__always)
func orNegatedErrno(_ result: Int) -> Int {
    result < 0 ? -Int(errno) : result
}

/// Sends what the kernel takes of the rest of a buffer, without SIGPIPE. Returns a count or a negated errno.
@inline(__always)
func sendSome(_ fileDescriptor: CInt, _ buffer: UnsafeRawBufferPointer, from offset: Int) -> Int {
    orNegatedErrno(
        send(fileDescriptor, buffer.baseAddress! + offset, buffer.count - offset, CInt(MSG_NOSIGNAL)))
}
