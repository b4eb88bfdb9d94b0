import EventLoop

/// Serves one HTTP connection: requests in, answers out in their order.
///
/// One read takes as many requests as have come, and one write sends all their answers. Both buffers live as
/// long as the connection, so a usual request costs two system calls and no memory.
final class HTTPConnection: Connection, @unchecked Sendable {
    private static let largestHead = 16 * 1024
    private static let largestBody = 1024 * 1024
    private static let largestBatch = 64 * 1024

    private let stream: TCPStream
    private let server: Server
    private let date: HTTPDate
    private let lapseFactor: Int
    private var input = ByteBuffer(capacity: largestHead)
    private var output = ByteBuffer(capacity: 1024)
    private var parser = HTTPParser()
    private(set) var isIdle = true

    init(_ stream: TCPStream, server: Server, date: HTTPDate, lapseFactor: Int) {
        self.stream = stream
        self.server = server
        self.date = date
        self.lapseFactor = lapseFactor
    }

    func serve() async throws {
        while true {
            switch parser.parse(input.bytes) {
            case .incomplete where input.isFull:
                refuse(.fieldsTooLarge)
                return try await end()
            case .incomplete:
                guard try await fill(isBetweenRequests: input.isEmpty) else { return }
            case .complete(let length):
                guard try await answer(headLength: length) else { return try await end() }
            case .failure(let status):
                refuse(status)
                return try await end()
            }
        }
    }

    // MARK: - Bytes

    /// Sends what is to be sent, then reads more. False at the end of the stream, or when it should end.
    private func fill(isBetweenRequests: Bool = false) async throws -> Bool {
        try await flush()
        if isBetweenRequests && server.isStopping { return false }
        isIdle = isBetweenRequests
        let count = try await stream.read(into: input.freeSpace())
        isIdle = false
        input.didWrite(count)
        return count > 0
    }

    private func flush() async throws {
        guard !output.isEmpty else { return }
        try await stream.writeAll(output.bytes)
        output.removeAll()
    }

    /// Ends the connection from this side. Closing it while the other side still sends could destroy the
    /// answer on its way, so the rest is read and dropped, but not for long.
    private func end() async throws {
        try await flush()
        try stream.shutdownWrite()
        let deadline = EventLoop.current.callLater(.seconds(2)) { [stream] in stream.close() }
        defer { deadline.cancel() }
        repeat { input.removeAll() } while try await fill()
    }

    // MARK: - Requests

    /// Answers the request in front of the input, and says whether the connection goes on.
    private func answer(headLength: Int) async throws -> Bool {
        let request = parser.request
        let route = HTTPRoute(input.bytes[request.path])
        parser = HTTPParser()
        input.removeFirst(headLength)
        if let length = request.contentLength, length > 0 {
            guard length <= Self.largestBody else {
                refuse(.contentTooLarge)
                return false
            }
            guard try await dropBody(length, of: request) else { return false }
        }
        server.servedCount += 1

        switch (request.method, route) {
        case (.other, _): append(.methodNotAllowed, to: request)
        case (_, .index): append(.ok, to: request, HTTPRoute.indexPage)
        case (_, .unknown): append(.notFound, to: request)
        case (_, .invalid): append(.badRequest, to: request)
        case (_, .delay(let duration)):
            try await delay(for: duration)
            append(.ok, to: request, "Here you are.\n")
        case (_, .bytes(let count, let duration)):
            try await delay(for: duration)
            appendHead(.ok, to: request, contentLength: count)
            if request.method == .get { try await writeBytes(count) }
        }
        if output.count >= Self.largestBatch { try await flush() }
        return goesOn(after: request)
    }

    private func delay(for duration: Duration) async throws {
        guard duration > .zero else { return }
        try await flush()
        try await sleep(for: duration / lapseFactor)
    }

    /// Reads a request's body, which nothing here asks for. False when it ends too early.
    private func dropBody(_ length: Int, of request: HTTPRequest) async throws -> Bool {
        if request.expectsContinue && request.isVersion11 && input.isEmpty {
            output.append("HTTP/1.1 100 Continue\r\n\r\n")
        }
        var left = length
        while true {
            let count = min(left, input.count)
            input.removeFirst(count)
            left -= count
            if left == 0 { return true }
            guard try await fill() else { return false }
        }
    }

    /// Counts and answers what one cannot go on after.
    private func refuse(_ status: HTTPStatus) {
        server.servedCount += 1
        append(status, to: HTTPRequest())
    }

    // MARK: - Answers

    private func goesOn(after request: HTTPRequest) -> Bool {
        request.keepsAlive && !server.isStopping
    }

    private func appendHead(_ status: HTTPStatus, to request: HTTPRequest, contentLength: Int) {
        var head = HTTPResponseHead(status: status, contentLength: contentLength)
        if !goesOn(after: request) {
            head.connection = "close"
        } else if !request.isVersion11 {
            head.connection = "keep-alive"
        }
        head.append(to: &output, date: date)
    }

    private func append(_ status: HTTPStatus, to request: HTTPRequest, _ body: StaticString) {
        appendHead(status, to: request, contentLength: body.utf8CodeUnitCount)
        if request.method != .head { output.append(body) }
    }

    private func append(_ status: HTTPStatus, to request: HTTPRequest) {
        appendHead(status, to: request, contentLength: status.line.utf8CodeUnitCount + 1)
        guard request.method != .head else { return }
        output.append(status.line)
        output.append("\n")
    }

    /// Writes a long body piece by piece, as fast as the client reads it.
    private func writeBytes(_ count: Int) async throws {
        if count > HTTPFiller.bytes.count { try await flush() }
        var left = count
        while left > HTTPFiller.bytes.count {
            try await stream.writeAll(HTTPFiller.bytes)
            left -= HTTPFiller.bytes.count
        }
        output.append(UnsafeRawBufferPointer(rebasing: HTTPFiller.bytes[..<left]))
    }
}

/// What `/bytes/COUNT` consists of: lines of 64 characters.
private enum HTTPFiller {
    // Written once, before anybody has it.
    nonisolated(unsafe) static let bytes: UnsafeRawBufferPointer = {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 1)
        for index in memory.indices {
            memory[index] = index % 64 == 63 ? UInt8(ascii: "\n") : UInt8(ascii: "a") + UInt8(index % 26)
        }
        return UnsafeRawBufferPointer(memory)
    }()
}
