import EventLoop

private let serverDelays = [100, 200, 100, 200, 100]

let requestsWorkload = Workload(
    name: "requests",
    summary: "five GETs that a server answers after 100 to 200 ms: one after another, on threads, gathered",
    section: .blockingAndAsync,
    isPinned: false,
    variants: [
        Variant(name: "blocking calls") { try requestOneAfterAnother(delays: serverDelays, $0) },
        Variant(name: "a thread each") { try requestOnThreads(delays: serverDelays, $0) },
        Variant(name: "EventLoop") { try requestOnLoop(delays: serverDelays, $0) },
    ],
    measures: wholeProgramMeasures
)

private func requestOnLoop(delays milliseconds: [Int], _ conditions: Conditions) throws -> Figures {
    try withDelayServer(requests: milliseconds.count, conditions) { port in
        let meter = Meter()
        try EventLoop.run {
            try await gather(milliseconds) { try await request(port: port, delayMilliseconds: $0) }
        }
        return meter.figures
    }
}

private func request(port: Int, delayMilliseconds: Int) async throws {
    let stream = try await TCPStream.connect(host: "127.0.0.1", port: port)
    defer { stream.close() }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1024, alignment: 16)
    defer { buffer.deallocate() }
    let text = Request.text(delayMilliseconds: delayMilliseconds).utf8
    buffer.copyBytes(from: text)
    try await stream.writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<text.count]))
    var answer: [UInt8] = []
    while true {
        let count = try await stream.read(into: buffer)
        if count == 0 { break }
        answer += buffer[..<count]
    }
    try Request.checkAnswer(answer)
}
