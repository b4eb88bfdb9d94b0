import Glibc
import Testing

@testable import EventLoop

/// Runs `body` on a fresh loop whose time is virtual, records it, and looks whether anything was left behind.
func traced(
    capacity: Int = 1_000_000, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: sending @escaping @isolated(any) () async throws -> Void
) throws -> Trace {
    let trace = Trace(capacity: capacity)
    let loop = try EventLoop(clock: .virtual)
    loop.record(into: trace)
    try loop.runBody(body)
    trace.stop()
    expectNothingLeft(on: loop, sourceLocation: sourceLocation)
    return trace
}

extension Trace {
    func task(_ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> TracedTask {
        try #require(tasks.first { $0.name == name }, "no task \(name)", sourceLocation: sourceLocation)
    }
}

extension TracedTask {
    /// Its spans with milliseconds: "runs 0", "a timer 0-1000".
    var words: [String] { spans.map(\.words) }
}

extension TracedSpan {
    var words: String {
        let what =
            switch state {
            case .running: "runs"
            case .ready: "ready"
            case .waiting(let reason): reason
            }
        let (from, to) = (start.milliseconds, end.milliseconds)
        return from == to ? "\(what) \(from)" : "\(what) \(from)-\(to)"
    }
}

extension EventLoop.Instant {
    var milliseconds: UInt64 { nanoseconds / 1_000_000 }
}

/// A path for a file that is gone when `body` has ended.
func withTemporaryFile<Value>(_ body: (String) throws -> Value) throws -> Value {
    var template = Array("/tmp/eventloop-trace-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    try #require(descriptor >= 0)
    close(descriptor)
    let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    defer { unlink(path) }
    return try body(path)
}

func readFile(_ path: String) throws -> String {
    let file = try #require(fopen(path, "r"))
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
    return String(decoding: bytes, as: UTF8.self)
}
