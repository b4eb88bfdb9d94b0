import Glibc
import TestSupport
import Testing

@testable import EventLoop

/// What the program writes into a page. How a browser shows it is the matter of Scripts/test-trace-page.
@Suite("Page of a trace", .timeLimit(.minutes(5)))
struct TracePageTests {
    private func page(of trace: Trace, title: String? = nil) throws -> (text: String, data: JSON) {
        try withTemporaryFile { path in
            try trace.writeHTML(to: path, title: title)
            let text = try readFile(path)
            let start = try #require(text.firstRange(of: "id=\"data\">"))
            let end = try #require(text[start.upperBound...].firstRange(of: "</script>"))
            return (text, try JSON(String(text[start.upperBound..<end.lowerBound])))
        }
    }

    @Test("rows are lanes, then each loop with its tasks, each below the one that started it")
    func rows() throws {
        let trace = Trace()
        let loop = try EventLoop(clock: .virtual)
        loop.record(into: trace)
        try loop.runBody {
            trace.record("work") {}
            let first = spawn(name: "first") {
                try await gather({ try await sleep(for: .seconds(1)) })
            }
            spawn(name: "second") {}
            try await first.value
        }
        let rows = try #require(try page(of: trace).data["rows"]).array
        #expect(rows.map { $0["kind"]?.string } == ["lane", "loop", "task", "task", "task", "task"])
        #expect(
            rows.map { $0["name"]?.string } == ["blocking", "main", "main", "first", "gather[0]", "second"])
        #expect(rows.dropFirst(2).map { $0["depth"]?.number } == [1, 2, 3, 2])
        #expect(rows.dropFirst(2).map { $0["parent"]?.number } == [-1, 2, 3, 2])
    }

    @Test("spans are start, length, kind and word, in nanoseconds from the trace's start")
    func spans() throws {
        let trace = try traced {
            try await sleep(for: .seconds(1))
            try await sleep(for: .nanoseconds(5))
        }
        let data = try page(of: trace).data
        let words = try #require(data["words"]).array
        let main = try #require(data["rows"]).array[1]
        let numbers = try #require(main["spans"]).array.map { $0.number! }
        let timer = Double(try #require(words.firstIndex(of: .string("a timer"))))
        #expect(
            numbers == [
                0, 0, 0, -1, 0, 1e9, 2, timer, 1e9, 0, 0, -1, 1e9, 5, 2, timer, 1e9 + 5, 0, 0, -1,
            ])
        #expect(data["length"] == .number(1e9 + 5))
    }

    @Test("the page needs nothing from elsewhere, and no name ends its script")
    func selfContained() async throws {
        let trace = try await ChromeTraceTests.sample()
        let (text, data) = try page(of: trace, title: "a <b> & c")
        #expect(text.contains("<title>a &lt;b> &amp; c</title>"))
        #expect(data["title"] == .string("a <b> & c"))
        for forbidden in ["http:", "https:", "src=", "@import", "url(", "fetch("] {
            #expect(!text.contains(forbidden), "\(forbidden)")
        }
        #expect(text.components(of: "</script>") == 2)
        let kinds = try #require(data["rows"]).array.compactMap { $0["kind"]?.string }
        #expect(kinds.filter { $0 == "task" }.count == trace.tasks.count)
        #expect(try #require(data["posts"]).array.count == trace.loops[0].posts.count)
    }

    /// For Scripts/test-trace-page and Scripts/trace-screenshot, which say where.
    @Test("a page to look at", .enabled(if: getenv("TRACE_PAGE") != nil))
    func sample() async throws {
        let path = String(cString: getenv("TRACE_PAGE"))
        let trace = Trace()
        for (name, milliseconds) in [("A", 200), ("B", 300), ("C", 100)] {
            trace.record("fetch \(name)", on: "blocking") { usleep(UInt32(milliseconds) * 1000) }
        }
        let loop = try EventLoop()
        loop.record(into: trace)
        try await onThread { try loop.runBody { try await lookedAt(loop) } }
        try trace.writeHTML(to: path, title: "Three fetches")
    }
}

/// Three fetches that work, wait, and share a lock; an answer from a thread; children, and a timeout.
private func lookedAt(_ loop: EventLoop) async throws {
    let lock = Lock()
    let promise = Promise<Int>()
    let fetches = [("A", 200, 0), ("B", 300, 30), ("C", 100, 240)].map { (name, wait, locked) in
        spawn(name: "fetch \(name)") {
            work(for: .milliseconds(20))
            try await sleep(for: .milliseconds(wait))
            work(for: .milliseconds(15))
            if locked > 0 { try await lock.withLock { try await sleep(for: .milliseconds(locked)) } }
        }
    }
    let answer = spawn(name: "answer from a thread") {
        _ = try await promise.future.value
        work(for: .milliseconds(10))
    }
    let thread = Thread {
        usleep(150_000)
        loop.callSoonThreadSafe { promise.succeed(1) }
    }
    try await gather(1...3) { (number: Int) in
        try await sleep(for: .milliseconds(number * 80))
        work(for: .milliseconds(5))
    }
    try? await withTimeout(.milliseconds(120)) { try await sleep(for: .seconds(5)) }
    for task in fetches { try await task.value }
    try await answer.value
    try await thread.value
}

private func work(for duration: Duration) {
    let end = EventLoop.current.now.advanced(by: duration)
    while EventLoop.current.now < end {}
}

extension String {
    fileprivate func components(of text: String) -> Int {
        var count = 0
        var rest = self[...]
        while let range = rest.firstRange(of: text) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
