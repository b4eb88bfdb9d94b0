import Glibc

/// What a server must know of a request.
struct HTTPRequest {
    enum Method { case get, head, other }

    var method = Method.other
    /// Where the path stands in the head's bytes, without the query.
    var path = 0..<0
    var isVersion11 = false
    var contentLength: Int?
    var expectsContinue = false
    fileprivate var isClosing = false
    fileprivate var asksToKeepAlive = false
    fileprivate var hasTransferEncoding = false
    fileprivate var hostCount = 0

    /// Whether the client can send another request on this connection.
    var keepsAlive: Bool { !isClosing && (isVersion11 || asksToKeepAlive) }
}

/// Reads the head of one request, line by line as they arrive, and each byte once (RFC 9112).
///
/// A line may end in LF alone, so that a request can be typed by hand.
struct HTTPParser {
    enum Outcome {
        case incomplete
        /// The head is `length` bytes long.
        case complete(length: Int)
        case failure(HTTPStatus)
    }

    private(set) var request = HTTPRequest()
    private var hasRequestLine = false
    private var lineStart = 0
    private var searched = 0

    /// - Parameter bytes: All that has come since the request's first byte.
    mutating func parse(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        guard let base = bytes.baseAddress else { return .incomplete }
        while let found = memchr(base + searched, CInt(UInt8(ascii: "\n")), bytes.count - searched) {
            let newline = UnsafeRawPointer(found) - base
            let hasReturn = newline > lineStart && bytes[newline - 1] == UInt8(ascii: "\r")
            let line = lineStart..<(hasReturn ? newline - 1 : newline)
            (lineStart, searched) = (newline + 1, newline + 1)
            if line.isEmpty {
                // Empty lines before a request are not part of it.
                if !hasRequestLine { continue }
                return finish(length: newline + 1)
            }
            let status = hasRequestLine ? readField(line, bytes) : readRequestLine(line, bytes)
            if let status { return .failure(status) }
            hasRequestLine = true
        }
        searched = bytes.count
        return .incomplete
    }

    private func finish(length: Int) -> Outcome {
        if request.hostCount > 1 || (request.isVersion11 && request.hostCount == 0) {
            return .failure(.badRequest)
        }
        if request.hasTransferEncoding {
            // Two lengths in one message are how requests are smuggled past somebody.
            return .failure(request.contentLength == nil ? .lengthRequired : .badRequest)
        }
        return .complete(length: length)
    }

    // MARK: - Lines

    private mutating func readRequestLine(_ line: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> HTTPStatus?
    {
        let space = UInt8(ascii: " ")
        guard let methodEnd = bytes[line].firstIndex(of: space),
            let targetEnd = bytes[(methodEnd + 1)..<line.upperBound].firstIndex(of: space)
        else { return .badRequest }
        let method = bytes[line.lowerBound..<methodEnd]
        let target = bytes[(methodEnd + 1)..<targetEnd]
        let version = bytes[(targetEnd + 1)..<line.upperBound]
        guard !method.isEmpty, method.allSatisfy(isTokenByte), !target.isEmpty,
            target.allSatisfy({ $0 > space && $0 != 0x7F })
        else { return .badRequest }
        if version.elementsEqual(bytesOf("HTTP/1.1")) {
            request.isVersion11 = true
        } else if !version.elementsEqual(bytesOf("HTTP/1.0")) {
            let isHTTP = version.count == 8 && version.starts(with: bytesOf("HTTP/"))
            return isHTTP ? .versionNotSupported : .badRequest
        }
        if method.elementsEqual(bytesOf("GET")) {
            request.method = .get
        } else if method.elementsEqual(bytesOf("HEAD")) {
            request.method = .head
        }
        let path = pathStart(of: target)..<targetEnd
        request.path = path.lowerBound..<(bytes[path].firstIndex(of: UInt8(ascii: "?")) ?? targetEnd)
        return nil
    }

    /// Where the path starts in `/path`, and in `http://host/path`, which a server must understand, too.
    private func pathStart(of target: Slice<UnsafeRawBufferPointer>) -> Int {
        let scheme = bytesOf("http://")
        guard target.count > scheme.count, target.prefix(scheme.count).equalsIgnoringCase("http://") else {
            return target.startIndex
        }
        return target.dropFirst(scheme.count).firstIndex(of: UInt8(ascii: "/")) ?? target.endIndex
    }

    private mutating func readField(_ line: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> HTTPStatus? {
        guard let colon = bytes[line].firstIndex(of: UInt8(ascii: ":")) else { return .badRequest }
        let name = bytes[line.lowerBound..<colon]
        let value = trimmed(bytes[(colon + 1)..<line.upperBound])
        // A name that starts with a space is a folded line, and one that ends with it is a trap.
        guard !name.isEmpty, name.allSatisfy(isTokenByte), value.allSatisfy(isFieldByte) else {
            return .badRequest
        }
        switch name.count {
        case 4 where name.equalsIgnoringCase("host"):
            request.hostCount += 1
        case 6 where name.equalsIgnoringCase("expect"):
            request.expectsContinue = value.equalsIgnoringCase("100-continue")
        case 10 where name.equalsIgnoringCase("connection"):
            readConnectionOptions(value)
        case 14 where name.equalsIgnoringCase("content-length"):
            guard request.contentLength == nil, !value.isEmpty, value.allSatisfy(isDigit) else {
                return .badRequest
            }
            guard let length = decimalNumber(value) else { return .contentTooLarge }
            request.contentLength = length
        case 17 where name.equalsIgnoringCase("transfer-encoding"):
            request.hasTransferEncoding = true
        default:
            break
        }
        return nil
    }

    private mutating func readConnectionOptions(_ value: Slice<UnsafeRawBufferPointer>) {
        var rest = value
        while !rest.isEmpty {
            let comma = rest.firstIndex(of: UInt8(ascii: ",")) ?? rest.endIndex
            let option = trimmed(rest[..<comma])
            rest = rest[comma...].dropFirst()
            if option.equalsIgnoringCase("close") {
                request.isClosing = true
            } else if option.equalsIgnoringCase("keep-alive") {
                request.asksToKeepAlive = true
            }
        }
    }
}

// MARK: - Bytes

func bytesOf(_ text: StaticString) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
}

func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
}

/// Nil: not a number, or one too large.
func decimalNumber(_ digits: Slice<UnsafeRawBufferPointer>) -> Int? {
    guard !digits.isEmpty, digits.count <= 18, digits.allSatisfy(isDigit) else { return nil }
    return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
}

private func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"),
        UInt8(ascii: "%"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"),
        UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"),
        UInt8(ascii: "|"), UInt8(ascii: "~"):
        true
    default: false
    }
}

private func isFieldByte(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte != 0x7F || byte == UInt8(ascii: "\t")
}

private func trimmed(_ value: Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer> {
    let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
    var value = value.drop(while: isBlank)
    while let last = value.last, isBlank(last) { value.removeLast() }
    return value
}

extension Slice<UnsafeRawBufferPointer> {
    /// - Parameter text: In lower case.
    fileprivate func equalsIgnoringCase(_ text: StaticString) -> Bool {
        elementsEqual(bytesOf(text)) { byte, wanted in
            let isUpper = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
            return (isUpper ? byte | 0x20 : byte) == wanted
        }
    }
}
