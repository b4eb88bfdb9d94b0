import Glibc
import Testing

@Suite("serve-http", .timeLimit(.minutes(5)))
struct ServeHTTPTests {
    private func withServer(_ body: @escaping @Sendable (_ program: Program, _ port: Int) throws -> Void)
        async throws
    {
        try await withProgram("serve-http", "0") { try body($0, try $0.readPort()) }
    }

    private func withClient(_ body: @escaping @Sendable (RawClient) throws -> Void) async throws {
        try await withServer { try body(try RawClient(port: $1)) }
    }

    // MARK: - Answers

    @Test("the page at / names the routes")
    func index() async throws {
        try await withClient { client in
            let response = try client.get("/")
            #expect(response.status == 200)
            #expect(response.fields["content-type"] == "text/plain; charset=utf-8")
            #expect(response.fields["date"]?.hasSuffix(" GMT") == true)
            for route in ["/delay/", "/bytes/"] { #expect(response.text.contains(route)) }
        }
    }

    @Test("the status says what is wrong, and the connection goes on")
    func statuses() async throws {
        try await withClient { client in
            #expect(try client.get("/nothing").status == 404)
            #expect(try client.get("*").status == 404)
            for path in [
                "/delay/61", "/delay/", "/delay/.", "/delay/1x", "/bytes/-1", "/bytes/1000000001",
                "/bytes/1/", "/bytes/1/61", "/bytes//1", "/delay/60.5",
            ] {
                #expect(try client.get(path).status == 400)
            }
            let refused = try client.get("/", method: "DELETE")
            #expect(refused.status == 405)
            #expect(refused.fields["allow"] == "GET, HEAD")
            #expect(try client.get("/?a=b").status == 200)
            #expect(try client.get("http://test/bytes/7?x").body.count == 7)
        }
    }

    @Test(
        "HEAD answers as GET does, without the body",
        arguments: ["/", "/bytes/100000", "/bytes/100/0", "/nothing", "/delay/0"])
    func head(path: String) async throws {
        try await withClient { client in
            let head = try client.get(path, method: "HEAD")
            let get = try client.get(path)
            #expect(head.status == get.status)
            #expect(head.fields["content-length"] == String(get.body.count))
        }
    }

    @Test("bytes come in the number asked for", arguments: [0, 1, 65_535, 65_536, 65_537, 3_000_000])
    func bytes(count: Int) async throws {
        try await withClient { client in
            let response = try client.get("/bytes/\(count)")
            #expect(response.body.count == count)
            #expect(try client.get("/").status == 200)
        }
    }

    @Test(
        "a delay is never shorter than asked for, and holds nobody else up",
        arguments: ["/delay/0.75", "/bytes/100/.75"])
    func delay(path: String) async throws {
        try await withServer { _, port in
            let slow = try RawClient(port: port)
            let start = SuspendingClock.now
            try slow.send("GET \(path) HTTP/1.1\r\nHost: test\r\n\r\n")
            #expect(try RawClient(port: port).get("/").status == 200)
            #expect(try slow.receiveResponse().status == 200)
            #expect(SuspendingClock.now - start >= .milliseconds(750))
        }
    }

    // MARK: - Connections

    @Test("pipelined requests are answered in their order")
    func pipelining() async throws {
        try await withClient { client in
            let paths = (1...50).map { "/bytes/\($0)" } + ["/delay/0.1", "/nothing", "/"]
            try client.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: test\r\n\r\n" }.joined())
            for count in 1...50 { #expect(try client.receiveResponse().body.count == count) }
            #expect(try [0, 1, 2].map { _ in try client.receiveResponse().status } == [200, 404, 200])
        }
    }

    @Test("a request may come byte by byte, with LF alone, after empty lines")
    func byteByByte() async throws {
        try await withClient { client in
            for byte in "\r\n\nGET /bytes/3 HTTP/1.1\nhOST:  test\r\nX:\n\n".utf8 { try client.send([byte]) }
            #expect(try client.receiveResponse().body.count == 3)
        }
    }

    @Test("HTTP/1.0 closes unless asked not to, HTTP/1.1 goes on unless asked not to")
    func closing() async throws {
        try await withServer { _, port in
            let old = try RawClient(port: port)
            try old.send("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
            #expect(try old.receiveResponse().fields["connection"] == "keep-alive")
            try old.send("GET / HTTP/1.0\r\n\r\n")
            #expect(try old.receiveResponse().fields["connection"] == "close")
            #expect(try old.receiveToEnd().isEmpty)

            let new = try RawClient(port: port)
            #expect(try new.get("/").fields["connection"] == nil)
            #expect(try new.get("/", fields: "Connection: x, Close\r\n").fields["connection"] == "close")
            #expect(try new.receiveToEnd().isEmpty)
        }
    }

    @Test("a client that has ended its side still gets its answer")
    func halfClose() async throws {
        try await withClient { client in
            try client.send("GET /delay/0.1 HTTP/1.1\r\nHost: test\r\n\r\n")
            client.shutdownWrite()
            #expect(try client.receiveResponse().status == 200)
            #expect(try client.receiveToEnd().isEmpty)
        }
    }

    // MARK: - Bodies

    @Test("a request's body is read and dropped")
    func bodies() async throws {
        try await withClient { client in
            try client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\n")
            try client.send([UInt8](repeating: UInt8(ascii: "x"), count: 100_000))
            #expect(try client.receiveResponse().status == 405)
            try client.send("GET /bytes/2 HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n12345")
            #expect(try client.receiveResponse().body.count == 2)
        }
    }

    @Test("a client that asks whether to send its body is told to")
    func expectation() async throws {
        try await withClient { client in
            try client.send(
                "GET / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
            #expect(try client.receiveResponse(hasBody: false).status == 100)
            try client.send("abc")
            #expect(try client.receiveResponse().status == 200)
        }
    }

    // MARK: - What is refused

    /// Something that is refused; its name stands for it in the tests' output.
    struct Refused: CustomTestStringConvertible {
        let name: String
        let request: String
        let status: Int

        var testDescription: String { name }

        init(_ name: String, _ request: String, _ status: Int) {
            (self.name, self.request, self.status) = (name, request, status)
        }

        /// A GET request with these fields.
        init(_ name: String, fields: String, _ status: Int) {
            self.init(name, "GET / HTTP/1.1\r\n\(fields)\r\n\r\n", status)
        }
    }

    private static let long = String(repeating: "x", count: 20_000)

    @Test(
        "what is no request is refused, and the connection ends",
        arguments: [
            Refused("no words", "what?\r\n\r\n", 400),
            Refused("no version", "GET /\r\n\r\n", 400),
            Refused("two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            Refused("a space behind", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
            Refused("a bad method", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            Refused("a later version", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
            Refused("a long path", "GET /\(long) HTTP/1.1\r\nHost: a\r\n\r\n", 431),
            Refused("a long field", fields: "Host: a\r\nX: \(long)", 431),
            Refused("no host", fields: "X: y", 400),
            Refused("two hosts", fields: "Host: a\r\nHost: b", 400),
            Refused("a space before the colon", fields: "Host : a", 400),
            Refused("a folded line", fields: "Host: a\r\n folded", 400),
            Refused("a NUL", fields: "Host: a\0b", 400),
            Refused("a signed length", fields: "Host: a\r\nContent-Length: +1", 400),
            Refused("two lengths", fields: "Host: a\r\nContent-Length: 1\r\nContent-Length: 1", 400),
            Refused("an enormous length", fields: "Host: a\r\nContent-Length: 99999999999999999999", 413),
            Refused("a long body", fields: "Host: a\r\nContent-Length: 1048577", 413),
            Refused("a chunked body", fields: "Host: a\r\nTransfer-Encoding: chunked\r\n\r\n0", 411),
            Refused(
                "a chunked body of a length",
                fields: "Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5", 400),
        ])
    func refused(_ refused: Refused) async throws {
        try await withServer { _, port in
            let client = try RawClient(port: port)
            try client.send(refused.request)
            let response = try client.receiveResponse()
            #expect(response.status == refused.status)
            #expect(response.fields["connection"] == "close")
            client.shutdownWrite()
            #expect(try client.receiveToEnd().isEmpty)
            #expect(try RawClient(port: port).get("/").status == 200)
        }
    }

    // MARK: - The end

    @Test("a signal lets a request in flight end, closes idle connections, and the program says what it did")
    func gracefulEnd() async throws {
        try await withServer { program, port in
            let idle = try RawClient(port: port)
            #expect(try idle.get("/").status == 200)
            let busy = try RawClient(port: port)
            let request = "HTTP/1.1\r\nHost: test\r\n\r\n"
            try busy.send("GET / \(request)GET /delay/3 \(request)")
            // The first answer goes out when the second request begins to wait.
            #expect(try busy.receiveResponse().fields["connection"] == nil)

            program.send(SIGTERM)
            #expect(try idle.receiveToEnd().isEmpty)
            #expect(!busy.hasReceived, "idle connections end at once, and not with the others")
            #expect(try program.readLine() == "Stopping.")
            #expect(throws: CallFailed.self) { try RawClient(port: port) }
            let last = try busy.receiveResponse()
            #expect(last.status == 200)
            #expect(last.fields["connection"] == "close")
            #expect(try busy.receiveToEnd().isEmpty)
            #expect(try program.waitForEnd() == .exit(0))
            #expect(try program.remainingLines() == ["Connections served: 2. Requests answered: 3."])
            #expect(try program.errorLines().isEmpty)
        }
    }

    @Test("what takes longer than the grace period is cut off")
    func graceEnds() async throws {
        try await withServer { program, port in
            let client = try RawClient(port: port)
            let request = "HTTP/1.1\r\nHost: test\r\n\r\n"
            try client.send("GET / \(request)GET /delay/60 \(request)")
            _ = try client.receiveResponse()
            let start = SuspendingClock.now
            program.send(SIGINT)
            #expect(try client.receiveToEnd().isEmpty)
            #expect(try program.waitForEnd() == .exit(0))
            #expect(SuspendingClock.now - start < .seconds(50))
        }
    }

    @Test("a second signal ends the program at once")
    func secondSignal() async throws {
        try await withServer { program, port in
            let client = try RawClient(port: port)
            let request = "HTTP/1.1\r\nHost: test\r\n\r\n"
            try client.send("GET / \(request)GET /delay/60 \(request)")
            _ = try client.receiveResponse()
            program.send(SIGTERM)
            #expect(try program.readLine() == "Stopping.")
            program.send(SIGTERM)
            #expect(try program.waitForEnd() == .signal(SIGTERM))
        }
    }
}
