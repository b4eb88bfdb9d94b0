import EventLoop
import Glibc

/// Where an `http:` URL leads. These small clients know neither names nor other schemes.
struct HTTPURL: CustomStringConvertible {
    let address: SocketAddress
    let path: String

    /// The bytes of a GET request, after whose answer the server closes the connection.
    var request: String { "GET \(path) HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n\r\n" }

    var description: String { "http://\(address)\(path)" }
}

struct HTTPResponse {
    struct Malformed: Error {}

    let status: Int
    let body: ArraySlice<UInt8>

    /// - Parameter bytes: All that the server has sent.
    init(_ bytes: [UInt8]) throws {
        var end = 0
        let blankLine = Array("\r\n\r\n".utf8)
        while !bytes[end...].starts(with: blankLine) {
            end += 1
            if end >= bytes.count { throw Malformed() }
        }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        body = bytes[(end + blankLine.count)...]
        for line in lines.dropFirst() {
            let field = line.split(separator: ": ", maxSplits: 1)
            if field.count == 2 && field[0].lowercased() == "content-length" && Int(field[1]) != body.count {
                throw Malformed()
            }
        }
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count > 1, let status = Int(words[1]) else { throw Malformed() }
        self.status = status
    }
}

/// The client as it is written for an event loop: each await lets the others run.
enum HTTPClient {
    static func get(_ url: HTTPURL) async throws -> HTTPResponse {
        let stream = try await TCPStream.connect(to: url.address)
        defer { stream.close() }
        try await stream.write(url.request)
        return try HTTPResponse(try await BufferedReader(stream).readToEnd())
    }
}

/// The same with blocking sockets: each call holds its thread until it is done.
enum BlockingHTTPClient {
    static func get(_ url: HTTPURL) throws -> HTTPResponse {
        let socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { throw SystemError(call: "socket", code: errno) }
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(url.address.port).bigEndian
        inet_pton(AF_INET, url.address.ip, &address.sin_addr)
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw SystemError(call: "connect", code: errno) }
        // So short a request fits into an empty send buffer at once.
        let request = Array(url.request.utf8)
        guard send(socket, request, request.count, CInt(MSG_NOSIGNAL)) == request.count else {
            throw SystemError(call: "send", code: errno)
        }
        var response: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(socket, &chunk, chunk.count, 0)
            if count == 0 { return try HTTPResponse(response) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw SystemError(call: "recv", code: errno) }
            response += chunk[..<count]
        }
    }
}
