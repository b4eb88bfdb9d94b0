import Glibc

enum HTTPStatus {
    case ok, badRequest, notFound, methodNotAllowed, lengthRequired, contentTooLarge, fieldsTooLarge
    case versionNotSupported

    var line: StaticString {
        switch self {
        case .ok: "200 OK"
        case .badRequest: "400 Bad Request"
        case .notFound: "404 Not Found"
        case .methodNotAllowed: "405 Method Not Allowed"
        case .lengthRequired: "411 Length Required"
        case .contentTooLarge: "413 Content Too Large"
        case .fieldsTooLarge: "431 Request Header Fields Too Large"
        case .versionNotSupported: "505 HTTP Version Not Supported"
        }
    }
}

/// What stands before the body of an answer.
struct HTTPResponseHead {
    var status = HTTPStatus.ok
    var contentLength: Int
    /// How the `Connection` field reads; nil leaves it out, which means keep-alive to HTTP/1.1.
    var connection: StaticString?

    func append(to output: inout ByteBuffer, date: HTTPDate) {
        output.append("HTTP/1.1 ")
        output.append(status.line)
        output.append("\r\nDate: ")
        date.append(to: &output)
        output.append("\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ")
        output.append(decimal: contentLength)
        if status == .methodNotAllowed { output.append("\r\nAllow: GET, HEAD") }
        if let connection {
            output.append("\r\nConnection: ")
            output.append(connection)
        }
        output.append("\r\n\r\n")
    }
}

/// The date as HTTP writes it, made once a second. Bound to one thread.
final class HTTPDate {
    private var second: time_t = -1
    private let text = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 1)
    private var length = 0

    deinit {
        text.deallocate()
    }

    func append(to output: inout ByteBuffer) {
        var now = time(nil)
        if now != second {
            second = now
            var parts = tm()
            gmtime_r(&now, &parts)
            let characters = text.assumingMemoryBound(to: CChar.self)
            length = strftime(
                characters.baseAddress!, characters.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
        }
        output.append(UnsafeRawBufferPointer(rebasing: text[..<length]))
    }
}
