import Glibc

@testable import EventLoop

/// A blocking TCP socket without a loop: the peer that a test moves by hand.
final class RawSocket: @unchecked Sendable {
    private(set) var fileDescriptor: CInt

    init(family: CInt = AF_INET) throws {
        fileDescriptor = socket(family, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        if fileDescriptor < 0 { throw SystemError("socket") }
    }

    /// Connects, and returns once the kernel has.
    convenience init(connectedTo address: SocketAddress) throws {
        try self.init(family: address.family)
        guard address.withSockaddr({ connect(fileDescriptor, $0, $1) }) == 0 else {
            throw SystemError("connect")
        }
    }

    /// Holds an address of this machine, and listens there if a backlog is given.
    convenience init(boundTo address: SocketAddress, backlog: CInt? = nil) throws {
        try self.init(family: address.family)
        guard address.withSockaddr({ bind(fileDescriptor, $0, $1) }) == 0 else { throw SystemError("bind") }
        if let backlog, listen(fileDescriptor, backlog) != 0 { throw SystemError("listen") }
    }

    deinit { close() }

    var localAddress: SocketAddress {
        get throws { try SocketAddress(asking: getsockname, named: "getsockname", of: fileDescriptor) }
    }

    func accept() throws -> RawSocket {
        let accepted = Glibc.accept(fileDescriptor, nil, nil)
        if accepted < 0 { throw SystemError("accept") }
        return RawSocket(accepted)
    }

    private init(_ fileDescriptor: CInt) {
        self.fileDescriptor = fileDescriptor
    }

    /// Sends all bytes.
    func send(_ bytes: [UInt8], flags: Int = 0) {
        var sent = 0
        while sent < bytes.count {
            let step = bytes.withUnsafeBytes {
                Glibc.send(
                    fileDescriptor, $0.baseAddress! + sent, bytes.count - sent,
                    CInt(flags | Int(MSG_NOSIGNAL)))
            }
            precondition(step > 0 || errno == EINTR, "send: \(errno)")
            sent += max(step, 0)
        }
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    /// Receives this many bytes, fewer at the end.
    func receive(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let received = recv(fileDescriptor, &bytes, count, CInt(MSG_WAITALL))
        precondition(received >= 0, "recv: \(errno)")
        return Array(bytes.prefix(received))
    }

    func shutdownWrite() { _ = shutdown(fileDescriptor, CInt(SHUT_WR)) }

    /// Ends the connection by RST instead of FIN.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            fileDescriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        close()
    }

    func close() {
        guard fileDescriptor >= 0 else { return }
        _ = Glibc.close(fileDescriptor)
        fileDescriptor = -1
    }
}

/// Blocks until the kernel reports one of the events, however long that takes.
func waitFor(_ events: Int, on fileDescriptor: CInt) {
    var request = pollfd(fd: fileDescriptor, events: Int16(events), revents: 0)
    while poll(&request, 1, -1) != 1 {}
}

extension TCPStream {
    /// Blocks until data is there. The loop does not turn meanwhile.
    func waitForData() { waitFor(Int(POLLIN), on: descriptor.fileDescriptor) }

    /// Blocks until the peer's end or reset is there.
    func waitForHangup() { waitFor(pollReadHangup, on: descriptor.fileDescriptor) }
}

/// POLLRDHUP of poll(2), which Glibc's module leaves out.
let pollReadHangup = 0x2000
