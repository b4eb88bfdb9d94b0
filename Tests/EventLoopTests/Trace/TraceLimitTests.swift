import TestSupport
import Testing

@testable import EventLoop

@Suite("Limits of a trace", .timeLimit(.minutes(5)))
struct TraceLimitTests {
    @Test("when there is no more room, the oldest events go, with the tasks that nothing is left of")
    func oldest() throws {
        let trace = try traced(capacity: 400) {
            for number in 0..<200 { try await spawn(name: "\(number)") { await yield() }.value }
            try await sleep(for: .seconds(1))
        }
        let log = trace.state.withLock { $0.recorders[0].log }
        #expect(trace.droppedEvents > 1000)
        #expect(trace.loops[0].droppedEvents == trace.droppedEvents)
        #expect(log.snapshot.events.count <= 400)
        #expect(log.snapshot.infos.count < 100, "what is known of tasks goes with their events")
        // The newest are there, from their beginning to their end.
        #expect(trace.tasks.first?.name == "main", "a task that lives is kept")
        #expect(trace.tasks.last?.name == "199")
        #expect(trace.tasks.last?.words == ["runs 0", "runs 0"])
        #expect(try trace.task("main").words.suffix(2) == ["a timer 0-1000", "runs 1000"])
        #expect(!trace.tasks.contains { $0.name == "0" })
    }

    @Test("spans of blocking code are kept up to the limit, and then counted")
    func lanes() {
        let trace = Trace(capacity: 16)
        for number in 0..<20 { trace.record("\(number)") {} }
        #expect(trace.lanes[0].spans.count == 16)
        #expect(trace.droppedEvents == 4)
    }

    @Test("a task seen from its end only, and one seen from its middle, still make sense")
    func torn() throws {
        // Whatever the first event that is kept: spans are in order and do not overlap.
        for capacity in 16..<40 {
            let trace = try traced(capacity: capacity) {
                try await gather(1...5) { (number: Int) in
                    for _ in 0..<number { try await sleep(for: .milliseconds(number)) }
                }
            }
            for task in trace.tasks {
                for (one, next) in zip(task.spans, task.spans.dropFirst()) { #expect(one.end <= next.start) }
                for span in task.spans { #expect(span.start <= span.end) }
            }
            try withTemporaryFile { path in
                try trace.writeChromeJSON(to: path)
                try trace.writeHTML(to: path)
            }
        }
    }

    @Test("threads read while a loop records")
    func concurrentReading() async throws {
        let trace = Trace(capacity: 4096)
        try await onLoop { loop in
            try await onThread { while !loop.engine.isRunning {} }
            loop.record(into: trace)
            let stopped = Counter()
            let reader = Thread {
                while stopped.value == 0 {
                    for task in trace.tasks {
                        for span in task.spans { #expect(span.start <= span.end) }
                    }
                }
            }
            for _ in 0..<2000 { try await spawn { await yield() }.value }
            stopped.increment()
            try await reader.value
            trace.stop()
        }
    }

    @Test("an event is small")
    func size() {
        #expect(MemoryLayout<TraceEvent>.stride == 24)
    }

    @Test("misuse traps with a sentence that says what to do")
    func traps() async {
        let twice = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let loop = try EventLoop()
            let trace = loop.startTrace()
            loop.record(into: trace)
        }
        #expect(twice?.sentence.contains("records into the trace already") == true)
        let stopped = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let loop = try EventLoop()
            let trace = loop.startTrace()
            trace.stop()
            loop.record(into: trace)
        }
        #expect(stopped?.sentence.contains("record into a new one") == true)
        let clocks = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let trace = try EventLoop().startTrace()
            try EventLoop(clock: .virtual).record(into: trace)
        }
        #expect(clocks?.sentence.contains("one kind of clock") == true)
        let room = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Trace(capacity: 3)
        }
        #expect(room?.sentence.contains("at least 16 events") == true)
    }
}
