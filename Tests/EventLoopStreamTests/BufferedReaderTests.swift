import TestSupport
import Testing

@testable import EventLoop

/// A stream that hands out what the test gives it, in the pieces in which the test gives it.
final class ScriptedStream: ByteStream {
    enum Step {
        case bytes([UInt8])
        case failure(any Error)
        /// Waits until the task is cancelled.
        case wait
    }

    var steps: [Step]
    private(set) var readCount = 0
    /// At most this many bytes at a time, as `size` says.
    private let size: () -> Int

    init(_ steps: [Step], size: @escaping () -> Int = { .max }) {
        self.steps = steps
        self.size = size
    }

    convenience init(_ pieces: String...) {
        self.init(pieces.map { .bytes(Array($0.utf8)) })
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) async throws -> Int {
        precondition(!buffer.isEmpty)
        readCount += 1
        guard !steps.isEmpty else { return 0 }
        switch steps.removeFirst() {
        case .bytes(let bytes):
            let count = min(bytes.count, buffer.count, max(size(), 1))
            buffer.copyBytes(from: bytes.prefix(count))
            if count < bytes.count { steps.insert(.bytes(Array(bytes.dropFirst(count))), at: 0) }
            return count
        case .failure(let error):
            throw error
        case .wait:
            try await sleep(until: .never)
            return 0
        }
    }

    func writeAll(_ buffer: UnsafeRawBufferPointer) async throws {}
    func close() {}
}

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

struct BufferedReaderTests {
    // MARK: Lines

    @Test func linesByLF() async throws {
        let reader = BufferedReader(ScriptedStream("one\ntwo\n"))
        #expect(try await reader.readLine() == "one")
        #expect(try await reader.readLine() == "two")
        #expect(try await reader.readLine() == nil)
        #expect(try await reader.readLine() == nil)
    }

    @Test func linesByCRLF() async throws {
        let reader = BufferedReader(ScriptedStream("one\r\ntwo\r\nthree\rfour\r\r\n"))
        #expect(try await reader.readLine() == "one")
        #expect(try await reader.readLine() == "two")
        // A CR ends nothing by itself, and only one belongs to the end.
        #expect(try await reader.readLine() == "three\rfour\r")
        #expect(try await reader.readLine() == nil)
    }

    @Test func emptyLines() async throws {
        let reader = BufferedReader(ScriptedStream("\n\r\n\nx\n\n"))
        for expected in ["", "", "", "x", "", nil] { #expect(try await reader.readLine() == expected) }
    }

    @Test func lastLineWithoutItsEnd() async throws {
        let reader = BufferedReader(ScriptedStream("one\ntwo"))
        #expect(try await reader.readLine() == "one")
        #expect(try await reader.readLine() == "two")
        #expect(try await reader.readLine() == nil)
    }

    @Test func lastLineMayEndWithACR() async throws {
        #expect(try await BufferedReader(ScriptedStream("one\r")).readLine() == "one\r")
    }

    @Test func emptyStreamHasNoLines() async throws {
        #expect(try await BufferedReader(ScriptedStream()).readLine() == nil)
    }

    @Test func invalidUTF8IsRepaired() async throws {
        let stream = ScriptedStream([
            .bytes([0x61, 0xFF, 0x62, 0x0A, 0xE2, 0x82]), .bytes([0xAC, 0x0A, 0xE2, 0x82]),
        ])
        let reader = BufferedReader(stream)
        #expect(try await reader.readLine() == "a\u{FFFD}b")
        // A character that comes in two pieces is whole.
        #expect(try await reader.readLine() == "€")
        #expect(try await reader.readLine() == "\u{FFFD}")
    }

    @Test(arguments: 1...8)
    func endOfLineSplitOverReads(chunkSize: Int) async throws {
        let reader = BufferedReader(
            ScriptedStream("one\r", "\ntwo", "\n", "thr", "ee\r", "\n"), chunkSize: chunkSize)
        for expected in ["one", "two", "three", nil] { #expect(try await reader.readLine() == expected) }
    }

    @Test func lineBeyondItsLimitStays() async throws {
        let reader = BufferedReader(ScriptedStream("abcdef\nrest"), chunkSize: 1)
        for _ in 0..<3 {
            await #expect(throws: StreamError.limitExceeded(limit: 6)) { try await reader.readLine(limit: 6) }
        }
        #expect(try await reader.readLine(limit: 7) == "abcdef")
        #expect(try await reader.readToEnd() == bytes("rest"))
    }

    @Test(arguments: [1, 3, 100])
    func limitCountsTheEndWhereverTheChunksFall(chunkSize: Int) async throws {
        for limit in 1...8 {
            let reader = BufferedReader(ScriptedStream("abcd\r\n"), chunkSize: chunkSize)
            if limit < 6 {
                await #expect(throws: StreamError.limitExceeded(limit: limit)) {
                    try await reader.readLine(limit: limit)
                }
            } else {
                #expect(try await reader.readLine(limit: limit) == "abcd")
            }
            // A missing end counts as one.
            let last = BufferedReader(ScriptedStream("abcd"), chunkSize: chunkSize)
            if limit < 5 {
                await #expect(throws: StreamError.limitExceeded(limit: limit)) {
                    try await last.readLine(limit: limit)
                }
            } else {
                #expect(try await last.readLine(limit: limit) == "abcd")
            }
        }
    }

    @Test func limitBoundsWhatIsRead() async throws {
        // A peer that never ends its line fills no memory.
        let stream = ScriptedStream([.bytes([UInt8](repeating: 0x61, count: 1 << 20))])
        let reader = BufferedReader(stream, chunkSize: 1024)
        await #expect(throws: StreamError.limitExceeded(limit: 4096)) {
            try await reader.readLine(limit: 4096)
        }
        #expect(reader.bufferedCount < 4096 + 3 * 4096)
    }

    // MARK: Exact counts

    @Test(arguments: [1, 2, 3, 100])
    func exactCounts(chunkSize: Int) async throws {
        let reader = BufferedReader(ScriptedStream("ab", "cdefg", "hij"), chunkSize: chunkSize)
        #expect(try await reader.read(exactly: 3) == bytes("abc"))
        #expect(try await reader.read(exactly: 0) == [])
        #expect(try await reader.read(exactly: 7) == bytes("defghij"))
        await #expect(throws: StreamError.unexpectedEnd(partial: [])) { try await reader.read(exactly: 1) }
        #expect(try await reader.read(exactly: 0) == [])
    }

    @Test func endTooEarlyCarriesWhatCame() async throws {
        let reader = BufferedReader(ScriptedStream("abc"))
        await #expect(throws: StreamError.unexpectedEnd(partial: bytes("abc"))) {
            try await reader.read(exactly: 4)
        }
        #expect(reader.bufferedCount == 0)
        #expect(try await reader.readLine() == nil)
    }

    @Test func upToACount() async throws {
        let reader = BufferedReader(ScriptedStream("abcde", "f"))
        #expect(try await reader.read(upTo: 2) == bytes("ab"))
        #expect(reader.bufferedCount == 3)
        // What is there, without asking for more.
        #expect(try await reader.read(upTo: 100) == bytes("cde"))
        #expect(try await reader.read(upTo: 100) == bytes("f"))
        #expect(try await reader.read(upTo: 100) == [])
    }

    // MARK: Delimiters

    @Test(arguments: 1...12)
    func delimiterSplitOverChunks(chunkSize: Int) async throws {
        let text = "head\r\n\r\r\n\r\nbody\r\n\r\n"
        let reader = BufferedReader(ScriptedStream(text), chunkSize: chunkSize)
        let delimiter = bytes("\r\n\r\n")
        #expect(try await reader.read(until: delimiter) == bytes("head\r\n\r\r\n\r\n"))
        #expect(try await reader.read(until: delimiter) == bytes("body\r\n\r\n"))
        await #expect(throws: StreamError.unexpectedEnd(partial: [])) {
            try await reader.read(until: delimiter)
        }
    }

    @Test(arguments: 1...6)
    func delimiterThatOverlapsItself(chunkSize: Int) async throws {
        let reader = BufferedReader(ScriptedStream("aaabaabaaab"), chunkSize: chunkSize)
        #expect(try await reader.read(until: bytes("aab")) == bytes("aaab"))
        #expect(try await reader.read(until: bytes("aab")) == bytes("aab"))
        #expect(try await reader.read(until: bytes("aab")) == bytes("aaab"))
    }

    @Test func delimiterThatDoesNotCome() async throws {
        let reader = BufferedReader(ScriptedStream("abc\r"))
        await #expect(throws: StreamError.unexpectedEnd(partial: bytes("abc\r"))) {
            try await reader.read(until: bytes("\r\n"))
        }
        #expect(reader.bufferedCount == 0)
    }

    @Test func delimiterBeyondTheLimitStays() async throws {
        let reader = BufferedReader(ScriptedStream("abcd--rest"))
        await #expect(throws: StreamError.limitExceeded(limit: 5)) {
            try await reader.read(until: bytes("--"), limit: 5)
        }
        #expect(try await reader.read(until: bytes("--"), limit: 6) == bytes("abcd--"))
        #expect(try await reader.readToEnd() == bytes("rest"))
    }

    // MARK: To the end

    @Test func toTheEnd() async throws {
        let reader = BufferedReader(ScriptedStream("ab", "c", "def"), chunkSize: 2)
        #expect(try await reader.read(exactly: 1) == bytes("a"))
        #expect(try await reader.readToEnd() == bytes("bcdef"))
        #expect(try await reader.readToEnd() == [])
    }

    @Test(arguments: [1, 4, 100])
    func endBeyondTheLimitStays(chunkSize: Int) async throws {
        let reader = BufferedReader(ScriptedStream("abcdef"), chunkSize: chunkSize)
        await #expect(throws: StreamError.limitExceeded(limit: 5)) { try await reader.readToEnd(limit: 5) }
        #expect(try await reader.readToEnd(limit: 6) == bytes("abcdef"))
        #expect(try await reader.readToEnd(limit: 0) == [])
    }

    @Test func endIsAskedForOnce() async throws {
        let stream = ScriptedStream("x")
        let reader = BufferedReader(stream)
        #expect(try await reader.readToEnd() == bytes("x"))
        let count = stream.readCount
        #expect(try await reader.readLine() == nil)
        #expect(try await reader.read(upTo: 1) == [])
        #expect(stream.readCount == count)
    }

    // MARK: Failures

    @Test func failedReadLosesNothing() async throws {
        struct Broken: Error {}
        let stream = ScriptedStream([
            .bytes(bytes("on")), .failure(Broken()), .bytes(bytes("e\ntw")), .failure(Broken()),
            .bytes(bytes("o\n")),
        ])
        let reader = BufferedReader(stream)
        await #expect(throws: Broken.self) { try await reader.readLine() }
        #expect(reader.bufferedCount == 2)
        #expect(try await reader.readLine() == "one")
        await #expect(throws: Broken.self) { try await reader.read(exactly: 3) }
        #expect(try await reader.readLine() == "two")
    }

    @Test func cancelledReadLosesNothing() async throws {
        try await onLoop {
            nonisolated(unsafe) let reader = BufferedReader(
                ScriptedStream([.bytes(bytes("on")), .wait, .bytes(bytes("e\nrest")), .wait]), chunkSize: 1)
            let task = spawn { try await reader.readLine() }
            await untilWaiting(1)
            task.cancel()
            await expectCancelled(task)
            let line = try await reader.readLine()
            #expect(line == "one")
            let rest = spawn { try await reader.readToEnd() }
            await untilWaiting(1)
            rest.cancel()
            await expectCancelled(rest)
            #expect(try await reader.readToEnd() == bytes("rest"))
        }
    }

    @Test func twoTasksTrap() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await onLoop {
                nonisolated(unsafe) let reader = BufferedReader(ScriptedStream([.wait, .wait]))
                spawn { try await reader.readLine() }
                await untilWaiting(1)
                _ = try await reader.readLine()
            }
        }
        expectSentence("Two tasks read from the same buffered reader", in: result)
    }

    @Test(arguments: ["chunk", "count", "upTo", "delimiter"])
    func nonsenseTraps(what: String) async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            [what] in
            let reader = BufferedReader(ScriptedStream("abc"))
            switch what {
            case "chunk": _ = BufferedReader(ScriptedStream(), chunkSize: 0)
            case "count": _ = try await reader.read(exactly: -1)
            case "upTo": _ = try await reader.read(upTo: 0)
            default: _ = try await reader.read(until: [])
            }
        }
        let sentences = [
            "chunk": "reads at least one byte at once", "count": "A count of bytes is not negative",
            "upTo": "would look like the end of the stream", "delimiter": "A delimiter has at least one byte",
        ]
        expectSentence(sentences[what]!, in: result)
    }

    // MARK: Against a model

    /// The same operations on the whole input, which lies in an array.
    private struct Model {
        var input: [UInt8]
        var position = 0
        var rest: ArraySlice<UInt8> { input[position...] }

        mutating func take(_ count: Int) -> [UInt8] {
            defer { position += count }
            return Array(input[position..<position + count])
        }

        mutating func read(exactly count: Int) throws(StreamError) -> [UInt8] {
            guard rest.count >= count else { throw .unexpectedEnd(partial: take(rest.count)) }
            return take(count)
        }

        mutating func read(until delimiter: [UInt8], limit: Int) throws(StreamError) -> [UInt8] {
            for length in stride(from: delimiter.count, through: rest.count, by: 1)
            where rest.dropFirst(length - delimiter.count).prefix(delimiter.count).elementsEqual(delimiter) {
                if length > limit { throw .limitExceeded(limit: limit) }
                return take(length)
            }
            if rest.count >= limit { throw .limitExceeded(limit: limit) }
            throw .unexpectedEnd(partial: take(rest.count))
        }

        mutating func readToEnd(limit: Int) throws(StreamError) -> [UInt8] {
            if rest.count > limit { throw .limitExceeded(limit: limit) }
            return take(rest.count)
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func agreesWithAModelHoweverTheStreamIsChopped(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<25 {
            // Few different bytes, so that delimiters and their beginnings are frequent.
            let input = (0..<Int.random(in: 0...200, using: &random)).map { _ in
                UInt8.random(in: 0x61...0x63, using: &random)
            }
            var sizes = SeededGenerator(seed: random.next())
            let largest = [1, 2, 7, 300].randomElement(using: &random)!
            let stream = ScriptedStream([.bytes(input)]) { Int.random(in: 1...largest, using: &sizes) }
            let reader = BufferedReader(
                stream, chunkSize: [1, 2, 3, 16, 1000].randomElement(using: &random)!)
            var model = Model(input: input)
            for _ in 0..<30 {
                let limit = Int.random(in: 0...60, using: &random)
                let expected: Result<[UInt8], StreamError>
                let operation: () async throws -> [UInt8]
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    expected = Result { () throws(StreamError) in try model.read(exactly: limit) }
                    operation = { try await reader.read(exactly: limit) }
                case 1, 2:
                    let delimiter = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                        UInt8.random(in: 0x61...0x63, using: &random)
                    }
                    expected = Result { () throws(StreamError) in
                        try model.read(until: delimiter, limit: limit)
                    }
                    operation = { try await reader.read(until: delimiter, limit: limit) }
                default:
                    let large = limit * 5
                    expected = Result { () throws(StreamError) in try model.readToEnd(limit: large) }
                    operation = { try await reader.readToEnd(limit: large) }
                }
                let result: Result<[UInt8], StreamError>
                do {
                    result = .success(try await operation())
                } catch {
                    result = .failure(try #require(error as? StreamError))
                }
                #expect(result == expected)
                #expect(reader.bufferedCount <= model.rest.count)
            }
            #expect(try await reader.readToEnd() == Array(model.rest))
        }
    }
}
