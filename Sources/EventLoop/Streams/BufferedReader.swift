import Glibc

/// Reads a stream in the units of a protocol: lines, exact counts, up to a delimiter, to the end.
///
/// What was read from the stream and not yet asked for stays in the buffer: also when a read is cancelled,
/// hits its limit. Bound to the stream's loop; one task at a time.
public final class BufferedReader<Stream: ByteStream> {
    /// What it reads from.
    public let stream: Stream
    private let chunkSize: Int
    private var buffer: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    private var hasEnded = false
    private var isFilling = false

    /// - Parameter chunkSize: How much is asked of the stream at once, in bytes, or more where the buffer has
    ///   grown; at least 1.
    public init(_ stream: Stream, chunkSize: Int = 16 * 1024) {
        precondition(chunkSize > 0, "A buffered reader reads at least one byte at once.")
        self.stream = stream
        self.chunkSize = chunkSize
        buffer = .allocate(byteCount: chunkSize, alignment: 1)
    }

    deinit {
        buffer.deallocate()
    }

    /// How many bytes can be had without reading from the stream.
    public var bufferedCount: Int { end - start }

    // MARK: - Reading

    /// What is there, at least one byte and at most `count`; empty at the end.
    public func read(upTo count: Int) async throws -> [UInt8] {
        precondition(count > 0, "Reading no bytes would look like the end of the stream.")
        if bufferedCount == 0 { try await fill() }
        return take(min(count, bufferedCount))
    }

    /// Exactly `count` bytes.
    ///
    /// - Throws: ``StreamError/unexpectedEnd(partial:)`` with what came, which counts as read.
    public func read(exactly count: Int) async throws -> [UInt8] {
        precondition(count >= 0, "A count of bytes is not negative.")
        while bufferedCount < count {
            if try await !fill() { throw StreamError.unexpectedEnd(partial: take(bufferedCount)) }
        }
        return take(count)
    }

    /// Everything up to and including the first `delimiter`.
    ///
    /// - Parameters:
    ///   - delimiter: At least one byte.
    ///   - limit: How long the result may be with the delimiter, in bytes.
    /// - Throws: ``StreamError/limitExceeded(limit:)``, and the bytes stay; or
    ///   ``StreamError/unexpectedEnd(partial:)`` with what came, which counts as read.
    public func read(until delimiter: [UInt8], limit: Int = 64 * 1024) async throws -> [UInt8] {
        precondition(!delimiter.isEmpty, "A delimiter has at least one byte.")
        var searched = 0
        while true {
            if let length = lengthThrough(delimiter, from: searched) {
                if length > limit { throw StreamError.limitExceeded(limit: limit) }
                return take(length)
            }
            // The delimiter may have begun at the end of what is there.
            searched = max(0, bufferedCount - delimiter.count + 1)
            if bufferedCount >= limit { throw StreamError.limitExceeded(limit: limit) }
            if try await !fill() { throw StreamError.unexpectedEnd(partial: take(bufferedCount)) }
        }
    }

    /// The next line without its end (LF or CRLF), decoded as UTF-8 with repairs; nil at the end. A last line
    /// may lack its end.
    ///
    /// - Parameter limit: How long the line may be with its end, in bytes; a missing end counts as one.
    /// - Throws: ``StreamError/limitExceeded(limit:)``, and the bytes stay.
    public func readLine(limit: Int = 64 * 1024) async throws -> String? {
        var line: [UInt8]
        do {
            line = try await read(until: [UInt8(ascii: "\n")], limit: limit)
        } catch StreamError.unexpectedEnd(let partial) {
            return partial.isEmpty ? nil : String(decoding: partial, as: UTF8.self)
        }
        line.removeLast()
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return String(decoding: line, as: UTF8.self)
    }

    /// Everything that is still to come.
    ///
    /// - Parameter limit: How much that may be, in bytes.
    /// - Throws: ``StreamError/limitExceeded(limit:)``, and the bytes stay.
    public func readToEnd(limit: Int = .max) async throws -> [UInt8] {
        repeat {
            if bufferedCount > limit { throw StreamError.limitExceeded(limit: limit) }
        } while try await fill()
        return take(bufferedCount)
    }

    // MARK: - The buffer

    private func take(_ count: Int) -> [UInt8] {
        let bytes = Array(buffer[start..<start + count])
        start += count
        if start == end { (start, end) = (0, 0) }
        return bytes
    }

    /// The length of what ends with the first delimiter at or after `offset`.
    private func lengthThrough(_ delimiter: [UInt8], from offset: Int) -> Int? {
        let bytes = buffer.baseAddress! + start
        // One past the last place where a delimiter may begin.
        let limit = bufferedCount - delimiter.count + 1
        var position = offset
        while position < limit, let found = memchr(bytes + position, CInt(delimiter[0]), limit - position) {
            if memcmp(found, delimiter, delimiter.count) == 0 { return found - bytes + delimiter.count }
            position = found - bytes + 1
        }
        return nil
    }

    /// Reads more. False at the end of the stream.
    @discardableResult
    private func fill() async throws -> Bool {
        precondition(!isFilling, "Two tasks read from the same buffered reader: one at a time.")
        if hasEnded { return false }
        isFilling = true
        defer { isFilling = false }
        makeRoom()
        let count = try await stream.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[end...]))
        end += count
        hasEnded = count == 0
        return count > 0
    }

    /// Makes place for a chunk behind what is there: by moving it to the front, or into a larger buffer.
    private func makeRoom() {
        guard buffer.count - end < chunkSize else { return }
        let count = bufferedCount
        if count + chunkSize <= buffer.count {
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
        } else {
            let larger = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(buffer.count * 2, count + chunkSize), alignment: 1)
            larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
            buffer.deallocate()
            buffer = larger
        }
        (start, end) = (0, count)
    }
}
