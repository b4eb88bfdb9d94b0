import Glibc
import TestSupport
import Testing

@testable import EventLoop

/// Runs `body` on a loop of its own on a thread of its own, as a part of the test's task, and checks that no
/// wait, no timer, no watched descriptor and no task is left.
@discardableResult
func onLoop<Value: Sendable>(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let thread = try LoopThread()
    defer { thread.stop() }
    let loop = thread.loop
    return try await withTaskExecutorPreference(loop.executor) {
        precondition(loop.isOnLoopThread)
        let result: Result<Value, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        let engine = loop.engine
        #expect(engine.waiters.count == 0, "a wait is left", sourceLocation: sourceLocation)
        #expect(engine.observers.count == 0, "a watched descriptor is left", sourceLocation: sourceLocation)
        #expect(engine.reactor.timerCount == 0, "a timer is left", sourceLocation: sourceLocation)
        #expect(engine.tasks.count == 0, "a task is left", sourceLocation: sourceLocation)
        return try result.get()
    }
}

// MARK: - Steps instead of time

var engine: Engine { EventLoop.current.engine }

/// Lets the loop turn until this many tasks are parked.
func untilWaiting(_ count: Int) async {
    while engine.waiters.count != count { await yield() }
}

/// Lets the loop turn until the condition holds.
func until(_ condition: () -> Bool) async {
    while !condition() { await yield() }
}

/// Lets the loop look for events a few times: what was to happen has happened then.
func turns(_ count: Int = 5) async {
    for _ in 0..<count { await yield() }
}

/// Expects that the operation ends by cancellation.
func expectCancelled<Value: Sendable>(
    _ task: LoopTask<Value>, sourceLocation: SourceLocation = #_sourceLocation
) async {
    await #expect(throws: CancellationError.self, sourceLocation: sourceLocation) { _ = try await task.value }
}

/// Expects that the operation ends because this side closed the stream.
func expectClosed<Value: Sendable>(
    _ task: LoopTask<Value>, sourceLocation: SourceLocation = #_sourceLocation
) async {
    await #expect(throws: StreamError.closed, sourceLocation: sourceLocation) { _ = try await task.value }
}

// MARK: - Descriptors

/// Names an open socket for the life of the process, unlike its descriptor's number.
struct SocketIdentity: Hashable {
    let node: UInt

    init(_ fileDescriptor: CInt) {
        var status = stat()
        precondition(fstat(fileDescriptor, &status) == 0, "not open")
        node = UInt(status.st_ino)
    }

    var isOpen: Bool { openDescriptors().contains { $0.target == "socket:[\(node)]" } }
}

/// The process's descriptors and what they stand for.
func openDescriptors() -> [(number: CInt, target: String)] {
    var found: [(CInt, String)] = []
    for name in names(in: "/proc/self/fd")! {
        guard let number = CInt(name) else { continue }
        var target = [UInt8](repeating: 0, count: 256)
        let length = readlink("/proc/self/fd/\(name)", &target, target.count)
        if length > 0 { found.append((number, String(decoding: target.prefix(length), as: UTF8.self))) }
    }
    return found
}

/// How many sockets the process has. Says something only where nothing else runs: in an exit test.
func openSocketCount() -> Int {
    openDescriptors().count { $0.target.hasPrefix("socket:") }
}

extension TCPStream {
    var identity: SocketIdentity { SocketIdentity(descriptor.fileDescriptor) }
}

extension TCPListener {
    var identity: SocketIdentity { SocketIdentity(descriptor.fileDescriptor) }
}

// MARK: - Connections

let anyPort = try! SocketAddress(ip: "127.0.0.1", port: 0)

/// Whether this machine has ::1.
let hasIPv6: Bool = {
    guard let address = try? SocketAddress(ip: "::1", port: 0),
        let socket = try? RawSocket(family: AF_INET6)
    else { return false }
    return address.withSockaddr { bind(socket.fileDescriptor, $0, $1) } == 0
}()

/// A stream and a peer that the test moves by hand.
func streamAndPeer() async throws -> (stream: TCPStream, peer: RawSocket) {
    let listener = try TCPListener.listen(on: anyPort)
    defer { listener.close() }
    let peer = try RawSocket(connectedTo: listener.localAddress)
    return (try await listener.accept(), peer)
}

/// Both ends of a connection.
func twoStreams() async throws -> (TCPStream, TCPStream) {
    let listener = try TCPListener.listen(on: anyPort)
    defer { listener.close() }
    let address = try listener.localAddress
    let (one, other) = try await gather(
        { try await listener.accept() }, { try await TCPStream.connect(to: address) })
    return (one, other)
}

extension TCPStream {
    /// Reads until this many bytes are there, or the end.
    func readAll(_ count: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try await read(upTo: min(count - bytes.count, 65536))
            if more.isEmpty { break }
            bytes += more
        }
        return bytes
    }

    func readToEnd() async throws -> [UInt8] { try await readAll(.max) }
}

/// More than the kernel buffers for one connection, so that writing it has to wait.
let moreThanTheKernelBuffers = 16 << 20

/// Bytes in which a lost, doubled or moved one shows: numbers, counted up.
func pattern(_ count: Int, seed: UInt32 = 0) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
        var position = 0
        var number = seed
        while position < count {
            withUnsafeBytes(of: number.bigEndian) {
                let length = min(4, count - position)
                memcpy(buffer.baseAddress! + position, $0.baseAddress!, length)
                position += length
            }
            number &+= 1
        }
        used = count
    }
}

/// More than the kernel takes, as a pattern.
let manyBytes = pattern(moreThanTheKernelBuffers)

/// Compares as memory: arrays' own comparison is slow in debug builds, and its failure prints them.
func same(_ one: ArraySlice<UInt8>, _ other: ArraySlice<UInt8>) -> Bool {
    one.count == other.count
        && one.withUnsafeBytes { one in
            other.withUnsafeBytes { other in
                one.isEmpty || memcmp(one.baseAddress!, other.baseAddress!, one.count) == 0
            }
        }
}

func same(_ one: [UInt8], _ other: [UInt8]) -> Bool { same(one[...], other[...]) }

// MARK: - Threads and traps

/// Something to be taken away on another thread.
final class Box<Value>: @unchecked Sendable {
    var value: Value?
    init(_ value: Value?) { self.value = value }
}

/// Empties the box, which holds the last reference by then, on a thread of its own.
func dropOnAnotherThread<Value>(_ box: Box<Value>, _ reference: consuming Value) async throws {
    _ = consume reference
    let loop = EventLoop.current
    let promise = Promise<Void>()
    #expect(
        startThread {
            box.value = nil
            loop.callSoonThreadSafe { promise.succeed() }
        } == 0)
    try await promise.future.value
}

/// Runs `body` on a thread of its own, without a loop.
func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        _ = startThread { continuation.resume(with: Result { try body() }) }
    }
}

/// Whether this is a build with the address or the thread sanitizer.
let isSanitized = dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil

/// A trap says what is wrong. Optimized builds trap in silence.
func expectSentence(
    _ sentence: String, in result: ExitTest.Result?, sourceLocation: SourceLocation = #_sourceLocation
) {
    guard let result, _isDebugAssertConfiguration() else { return }
    let text = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(text.contains(sentence), sourceLocation: sourceLocation)
}
