// Code of the article about blocking.

import EventLoop
import Glibc
import Testing

/// Blocks the calling thread.
func sleepBlocking(_ duration: Duration) {
    let end = ContinuousClock.now + duration
    while ContinuousClock.now < end { usleep(1000) }
}

@Suite("In the guide: blocking", .timeLimit(.minutes(5)))
struct BlockingSnippets {
    @Test("a slow step is reported with its task's name")
    func slowStep() throws {
        let log = SharedLog()
        // snippet.debug
        let loop = try EventLoop(debug: true)
        loop.slowStepThreshold = .milliseconds(20)
        loop.setDebugHandler { report in log.add("\(report)") }
        try loop.run {
            let task = spawn(name: "load") { sleepBlocking(.milliseconds(25)) }
            try await task.value
        }
        // snippet.end
        #expect(loop.isDebugging)
        #expect(log.lines.contains { $0.hasPrefix("A step of task load, from GuideTests/Blocking.swift:") })
        // snippet.stall_threshold
        loop.stallThreshold = .milliseconds(500)
        // snippet.end
        #expect(loop.stallThreshold == .milliseconds(500))
        try loop.close()
    }

    @Test("a loop can be made in debug mode")
    func debugMode() throws {
        // snippet.set_debug
        let loop = try EventLoop(debug: true)
        // snippet.end
        // snippet.slow_callback_duration
        loop.slowStepThreshold = .milliseconds(20)
        // snippet.end
        #expect(loop.isDebugging && loop.slowStepThreshold == .milliseconds(20))
        try loop.close()
    }

    @Test("a dump says what each task waits for")
    func dump() throws {
        try virtually {
            // snippet.dump
            let lock = Lock()
            let writer = spawn(name: "writer") {
                try await lock.withLock { try await sleep(for: .seconds(60)) }
            }
            let reader = spawn(name: "reader") { try await lock.withLock {} }
            await yield()
            print(EventLoop.dumpTasks())
            // snippet.end
            // snippet.print_call_graph
            print(EventLoop.dumpTasks())
            // snippet.end
            let lines = EventLoop.dumpTasks().split(separator: "\n")
            #expect(lines.contains { $0.contains("task writer") && $0.hasSuffix("waits for a timer") })
            #expect(lines.contains { $0.contains("task reader") && $0.hasSuffix("waits for a lock") })
            try await gather({ try await writer.value }, { try await reader.value })
        }
    }

    @Test("a loop counts and measures")
    func metrics() throws {
        let loop = try EventLoop()
        // snippet.metrics
        loop.enableHistograms()
        try loop.run { try await sleep(for: .milliseconds(1)) }
        let slowest = loop.metrics.stepTimes?.percentile(99)
        let latest = loop.metrics.timerLateness?.longest
        // snippet.end
        #expect(slowest != nil && latest != nil)
        try loop.close()
    }

    @Test("work that blocks is a thread's")
    func offload() throws {
        @Sendable func readSlowly(_ name: String) -> String {
            sleepBlocking(.milliseconds(1))
            return "\(name) read"
        }
        try virtually {
            // snippet.offload
            let text = try await toThread { readSlowly("A") }
            // snippet.end
            #expect(text == "A read")
        }
    }

    @Test("a long computation gives way")
    func givesWay() throws {
        try virtually {
            let numbers = Array(1...3000)
            let log = Log()
            spawn { log.add("other") }
            var sum = 0
            // snippet.give_way
            for (index, number) in numbers.enumerated() {
                sum += number
                if index % 1000 == 999 { await yield() }
            }
            // snippet.end
            #expect(sum == 4_501_500 && log.lines == ["other"])
        }
    }
}
