import Glibc

/// A blocking TCP connection to a server on this machine. Its methods give up after a while.
final class RawClient {
    private let fileDescriptor: CInt
    private var buffer: [UInt8] = []

    init(port: Int) throws {
        fileDescriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard fileDescriptor >= 0 else { throw CallFailed("socket") }
        var limit = timeval(tv_sec: Deadline.seconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(fileDescriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(fileDescriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(fileDescriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        // An initializer that throws after its last property is set runs deinit, which closes.
        guard result == 0 else { throw CallFailed("connect") }
    }

    deinit {
        close(fileDescriptor)
    }

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(fileDescriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw CallFailed("send") }
            rest = rest.dropFirst(count)
        }
    }

    func send(_ text: String) throws {
        try send(Array(text.utf8))
    }

    func shutdownWrite() {
        shutdown(fileDescriptor, CInt(SHUT_WR))
    }

    /// Everything until the other side ends the connection.
    func receiveToEnd() throws -> [UInt8] {
        while try receiveMore() {}
        defer { buffer = [] }
        return buffer
    }

    func receive(exactly count: Int) throws -> [UInt8] {
        while buffer.count < count { guard try receiveMore() else { throw Ended() } }
        defer { buffer.removeFirst(count) }
        return Array(buffer[..<count])
    }

    /// Whether something has come, or the end.
    var hasReceived: Bool {
        var interest = pollfd(fd: fileDescriptor, events: Int16(POLLIN), revents: 0)
        return !buffer.isEmpty || poll(&interest, 1, 0) > 0
    }

    private func receiveMore() throws -> Bool {
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        let count = recv(fileDescriptor, &chunk, chunk.count, 0)
        guard count >= 0 else { throw CallFailed("recv") }
        buffer += chunk[..<count]
        return count > 0
    }

    struct Ended: Error {}

    // MARK: - HTTP

    struct Response {
        let status: Int
        let fields: [String: String]
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// Reads one answer, and not a byte more.
    func receiveResponse(hasBody: Bool = true) throws -> Response {
        var head: [UInt8] = []
        while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) { head += try receive(exactly: 1) }
        let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n")
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ": ", maxSplits: 1)
            fields[parts[0].lowercased()] = String(parts[1])
        }
        let length = hasBody ? Int(fields["content-length"] ?? "") ?? 0 : 0
        let status = Int(lines[0].split(separator: " ")[1]) ?? 0
        return Response(status: status, fields: fields, body: try receive(exactly: length))
    }

    func get(_ path: String, method: String = "GET", fields: String = "") throws -> Response {
        try send("\(method) \(path) HTTP/1.1\r\nHost: test\r\n\(fields)\r\n")
        return try receiveResponse(hasBody: method != "HEAD")
    }
}
