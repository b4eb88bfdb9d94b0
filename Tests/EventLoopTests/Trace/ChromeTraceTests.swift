import Glibc
import TestSupport
import Testing

@testable import EventLoop

@Suite("Trace for Perfetto", .timeLimit(.minutes(5)))
struct ChromeTraceTests {
    /// A program with all that a trace can hold, on real time.
    static func sample() async throws -> Trace {
        let trace = Trace()
        trace.record("read \"a\\b\"\n</script>", on: "blocking") { usleep(1000) }
        let loop = try EventLoop()
        loop.record(into: trace)
        try await onThread {
            try loop.runBody {
                let promise = Promise<Int>()
                let waiter = spawn(name: "wartet – \u{1}") { _ = try await promise.future.value }
                try await onThread { loop.callSoonThreadSafe { promise.succeed(1) } }
                try await gather(1...3) { (number: Int) in try await sleep(for: .milliseconds(number)) }
                try await withTimeout(.seconds(5)) { try await sleep(for: .milliseconds(1)) }
                try await waiter.value
            }
        }
        trace.stop()
        return trace
    }

    private func events(of trace: Trace) throws -> [JSON] {
        try withTemporaryFile { path in
            try trace.writeChromeJSON(to: path)
            return try #require(try JSON(readFile(path))["traceEvents"]).array
        }
    }

    @Test("every task, loop, lane and posting thread is a thread with its name, in the order of the rows")
    func threads() async throws {
        let trace = try await Self.sample()
        let names = try events(of: trace).filter { $0["name"] == .string("thread_name") }.compactMap {
            $0["args"]?["name"]?.string
        }
        #expect(names.first == "blocking")
        #expect(names.filter { $0 == "loop main" }.count == 1)
        for task in trace.tasks { #expect(names.contains(task.name)) }
        #expect(names.contains("wartet – \u{1}"))
        let lanes = Set(trace.loops[0].posts.map(\.thread))
        #expect(names.count == 2 + trace.tasks.count + lanes.count)
    }

    @Test("slices have times that are no less than zero, and on each row they follow or contain each other")
    func nesting() async throws {
        var slices: [Double: [(start: Double, end: Double)]] = [:]
        for event in try events(of: try await Self.sample()) where event["ph"] == .string("X") {
            let row = try #require(event["tid"]?.number)
            let start = try #require(event["ts"]?.number)
            let duration = try #require(event["dur"]?.number)
            #expect(start >= 0 && duration >= 0)
            slices[row, default: []].append((start, start + duration))
        }
        #expect(slices.count > 5)
        for row in slices.values {
            var open: [Double] = []
            // A thousandth is the format's nanosecond; sums of fractions are not exact.
            for slice in row.sorted(by: { ($0.start, -$0.end) < ($1.start, -$1.end) }) {
                while let end = open.last, end <= slice.start + 0.0001 { open.removeLast() }
                if let end = open.last { #expect(slice.end <= end + 0.0011) }
                open.append(slice.end)
            }
        }
    }

    @Test("what a task does is on its row: every span once, with what it waits for")
    func spans() async throws {
        let trace = try await Self.sample()
        let slices = try events(of: trace).filter { $0["ph"] == .string("X") }
        let waits = slices.filter { $0["name"] == .string("waits for a timer") }
        let wanted = trace.tasks.flatMap(\.spans).filter { $0.state == .waiting(for: "a timer") }
        #expect(waits.count == wanted.count)
        #expect(waits.allSatisfy { $0["args"]?["waits for"] == .string("a timer") })
        let first = try #require(slices.first)
        #expect(first["name"] == .string("read \"a\\b\"\n</script>"))
        #expect(first["ts"] == .number(0))
        #expect(first["dur"]!.number! >= 1000)
    }

    @Test("each arrow has a beginning and an end that is not before it")
    func flows() async throws {
        let trace = try await Self.sample()
        let all = try events(of: trace)
        let starts = all.filter { $0["ph"] == .string("s") }
        let ends = all.filter { $0["ph"] == .string("f") }
        #expect(!starts.isEmpty)
        #expect(starts.count == trace.loops[0].posts.count)
        #expect(starts.map { $0["id"] } == ends.map { $0["id"] })
        for (start, end) in zip(starts, ends) {
            #expect(start["ts"]!.number! <= end["ts"]!.number!)
            #expect(start["tid"] != end["tid"])
        }
    }

    @Test("timers are instants on the loop")
    func instants() async throws {
        let trace = try await Self.sample()
        let instants = try events(of: trace).filter { $0["ph"] == .string("i") }
        let timers = instants.filter { $0["name"] == .string("timer") }
        #expect(timers.count == trace.loops[0].timers.count)
        #expect(timers.allSatisfy { $0["args"]?["late"]?.string?.hasSuffix(" µs") == true })
    }

    @Test("virtual nanoseconds are fractions of microseconds")
    func fractions() throws {
        let trace = try traced { try await sleep(for: .nanoseconds(1_234_567)) }
        let wait = try #require(
            events(of: trace).first { $0["name"] == .string("waits for a timer") })
        #expect(wait["dur"] == .number(1234.567))
    }

    @Test("an empty trace is a file that can be read")
    func empty() throws {
        #expect(try events(of: Trace()).count == 1)
    }

    @Test("a file that cannot be written is a system error")
    func unwritable() throws {
        #expect(throws: SystemError(call: "open", code: ENOENT)) {
            try Trace().writeChromeJSON(to: "/nowhere/trace.json")
        }
        #expect(throws: SystemError(call: "write", code: ENOSPC)) {
            try Trace().writeHTML(to: "/dev/full")
        }
    }
}
