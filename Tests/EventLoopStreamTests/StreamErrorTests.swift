import Testing

@testable import EventLoop

struct StreamErrorTests {
    @Test func errorsSayWhatHappened() {
        #expect(StreamError.closed.description == "The stream is closed.")
        #expect(StreamError.unexpectedEnd(partial: [1, 2]).description.contains("after 2 bytes"))
        #expect(StreamError.limitExceeded(limit: 10).description.contains("10 bytes"))
        #expect(
            StreamError.unknownHost(host: "a.example", reason: "why").description.contains(
                "\"a.example\": why"))
        #expect(StreamError.invalidAddress("what").description.hasSuffix("what"))
    }

    @Test func errorsCompareByWhatTheyCarry() {
        #expect(StreamError.unexpectedEnd(partial: [1]) == .unexpectedEnd(partial: [1]))
        #expect(StreamError.unexpectedEnd(partial: [1]) != .unexpectedEnd(partial: []))
        #expect(StreamError.closed != .limitExceeded(limit: 0))
    }
}
