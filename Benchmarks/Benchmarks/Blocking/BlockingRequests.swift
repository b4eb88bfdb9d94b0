import CFloor
import Glibc

func requestOneAfterAnother(delays milliseconds: [Int], _ conditions: Conditions) throws -> Figures {
    try withDelayServer(requests: milliseconds.count, conditions) { port in
        let meter = Meter()
        for delay in milliseconds { try blockingRequest(port: port, delayMilliseconds: delay) }
        return meter.figures
    }
}

func requestOnThreads(delays milliseconds: [Int], _ conditions: Conditions) throws -> Figures {
    try withDelayServer(requests: milliseconds.count, conditions) { port in
        let meter = Meter()
        try BlockingThread.forEach(milliseconds) { delay in
            do { try blockingRequest(port: port, delayMilliseconds: delay) } catch { exitWith(error) }
        }
        return meter.figures
    }
}

/// The server is a process of its own, so that none of its work is counted.
func withDelayServer(
    requests: Int, _ conditions: Conditions, _ body: (_ port: Int) throws -> Figures
) throws -> Figures {
    var port: UInt16 = 0
    let listening = try check(floor_listen(&port), "listen")
    defer { close(listening) }
    let server = try Helper.startDelayServer(listening: listening, requests: requests, conditions: conditions)
    let figures = try body(Int(port))
    _ = try server.figures(within: 5)
    return figures
}

enum Request {
    static func text(delayMilliseconds: Int) -> String {
        "GET /\(delayMilliseconds) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    }

    static func checkAnswer(_ answer: some Collection<UInt8>) throws {
        let isGood =
            answer.starts(with: "HTTP/1.1 200 OK\r\n".utf8) && answer.suffix(2).elementsEqual("ok".utf8)
        if !isGood { throw BenchmarkError("the delay server gave a wrong answer") }
    }
}

private func blockingRequest(port: Int, delayMilliseconds: Int) throws {
    let connection = try connect(port: port)
    defer { close(connection) }
    let request = Array(Request.text(delayMilliseconds: delayMilliseconds).utf8)
    let sent = send(connection, request, request.count, Int32(MSG_NOSIGNAL))
    if sent != request.count { throw BenchmarkError("cannot send: \(errorText(errno))") }
    var answer: [UInt8] = []
    while true {
        let chunk = [UInt8](unsafeUninitializedCapacity: 1024) { buffer, count in
            count = max(0, recv(connection, buffer.baseAddress, buffer.count, 0))
        }
        if chunk.isEmpty { break }
        answer += chunk
    }
    try Request.checkAnswer(answer)
}

private func connect(port: Int) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    try check(descriptor < 0 ? -errno : 0, "make a socket")
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    let result = withUnsafeBytes(of: &address) {
        Glibc.connect(descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
    }
    if result != 0 {
        let code = errno
        close(descriptor)
        throw BenchmarkError("cannot connect: \(errorText(code))")
    }
    return descriptor
}
