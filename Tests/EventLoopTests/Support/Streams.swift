import Glibc

@testable import EventLoop

/// Both ends of a connection within the process. What is written to one is there for the other at once.
func streamPair() throws -> (TCPStream, TCPStream) {
    let (one, other) = try socketPair(SOCK_NONBLOCK.rawValue)
    let engine = EventLoop.current.engine
    return (TCPStream(Descriptor(one, engine: engine)), TCPStream(Descriptor(other, engine: engine)))
}

/// A stream, and its peer as a blocking socket for another thread.
func streamAndSocket() throws -> (TCPStream, CInt) {
    let (one, other) = try socketPair(0)
    _ = fcntl(one, F_SETFL, O_NONBLOCK)
    return (TCPStream(Descriptor(one, engine: EventLoop.current.engine)), other)
}

private func socketPair(_ flags: UInt32) throws -> (CInt, CInt) {
    var pair: [CInt] = [0, 0]
    let type = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | flags)
    guard socketpair(AF_UNIX, type, 0, &pair) == 0 else { throw SystemError("socketpair") }
    return (pair[0], pair[1])
}
