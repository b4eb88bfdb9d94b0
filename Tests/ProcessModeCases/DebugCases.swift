import EventLoop
import Glibc
import Synchronization

let debugCases = [
    Case("in debug mode a main actor that is stuck is reported while it is") {
        var ends: (CInt, CInt) = (0, 0)
        let result = withUnsafeMutableBytes(of: &ends) {
            pipe($0.baseAddress!.assumingMemoryBound(to: CInt.self))
        }
        try check(result == 0, "a pipe")
        let (reading, writing) = ends
        let reports = Mutex<[String]>([])
        try EventLoop.run(debug: true) {
            try check(EventLoop.current.isDebugging, "debug mode is on")
            EventLoop.current.stallThreshold = .milliseconds(2)
            EventLoop.current.setDebugHandler { report in
                guard case .stall(let work, _, let backtrace) = report else { return }
                reports.withLock { $0 = [work.name] + backtrace }
                _ = write(writing, "x", 1)
            }
            var byte: UInt8 = 0
            try check(read(reading, &byte, 1) == 1, "the read goes on")
            await yield()
        }
        let report = reports.withLock { $0 }
        try check(report.first == "task main", "\(report)")
        try check(report.contains { $0.contains("EventLoop.Engine.run(until:") }, "\(report)")
        close(reading)
        close(writing)
    },
    Case("without debug mode nothing is reported") {
        try EventLoop.run(debug: false) {
            try check(!EventLoop.current.isDebugging, "debug mode is off")
        }
    },
    Case("a dump shows plain tasks, with their names in debug mode, and what is in Task.sleep") {
        let text = try EventLoop.run(clock: .virtual, debug: true, fileID: "Main", line: 1) {
            EventLoop.current.slowStepThreshold = .seconds(1000)
            let named = Task(name: "named") { try await sleep(for: .seconds(60)) }
            let asleep = Task { try await Task.sleep(for: .seconds(60)) }
            let known = spawn(name: "known", fileID: "Main", line: 2) {
                try await Task.sleep(for: .seconds(60))
            }
            try await sleep(for: .seconds(2))
            let text = EventLoop.dumpTasks()
            named.cancel()
            try await asleep.value
            try await known.value
            return text
        }
        let expected = """
            Tasks of the event loop: 2
              task main, from Main:1: running
                task known, from Main:2: waits in Task.sleep, for 2.000 s
            Waits of tasks that the loop did not start: 2
              task named: waits for a timer, for 2.000 s
              waits in Task.sleep, for 2.000 s
            """
        try check(text == expected, text)
    },
]
