import Glibc
import TestSupport
import Testing

@testable import EventLoop

@Suite("Debug mode: slow steps", .timeLimit(.minutes(5)))
struct DebugModeTests {
    /// A clock that a step moves, in nanoseconds.
    private final class HandClock: @unchecked Sendable {
        var now: UInt64 = 1

        func pass(_ duration: Duration) { now += UInt64(duration.nanosecondsRoundedUp) }
    }

    /// Runs `body` on a loop whose steps are measured by the clock that it gets, and returns the reports.
    private func reports(
        of body: sending @escaping @isolated(any) (HandClock) async throws -> Void
    ) throws -> [String] {
        let loop = try EventLoop(debug: false)
        let clock = HandClock()
        let recorder = Recorder<String>()
        loop.setDebugHandler { recorder.add("\($0)") }
        loop.engine.add(
            DebugObserver(engine: loop.engine, mode: loop.debugMode, nanosecondsNow: { clock.now }))
        try loop.runBody { try await body(clock) }
        expectNothingLeft(on: loop)
        return recorder.all
    }

    @Test("a step that takes as long as the threshold is reported with its task's name and place")
    func threshold() throws {
        let line = #line + 2
        let reports = try reports { clock in
            let task = spawn(name: "fetch") {
                clock.pass(.nanoseconds(99_999_999))
                await yield()
                clock.pass(.milliseconds(100))
                await yield()
                clock.pass(.nanoseconds(99_999_999))
            }
            try await task.value
        }
        #expect(
            reports == [
                "A step of task fetch, from EventLoopTests/DebugModeTests.swift:\(line), took 100.0 ms."
            ])
    }

    @Test("the threshold can be set at any time")
    func otherThreshold() throws {
        let reports = try reports { clock in
            let loop = EventLoop.current
            #expect(loop.slowStepThreshold == .milliseconds(100))
            loop.slowStepThreshold = .seconds(2)
            clock.pass(.nanoseconds(1_999_999_999))
            await yield()
            clock.pass(.seconds(2))
            await yield()
            loop.slowStepThreshold = .microseconds(7)
            clock.pass(.microseconds(7))
        }
        #expect(reports.map { $0.split(separator: " ").last } == ["s.", "µs."])
        #expect(reports.map { $0.contains("took 2.000 s") } == [true, false])
        #expect(reports.map { $0.contains("took 7 µs") } == [false, true])
    }

    @Test("a task is named in its first step, in its last, and in its only one")
    func firstAndLast() throws {
        let reports = try reports { clock in
            let tasks = [
                spawn(name: "first") {
                    clock.pass(.seconds(1))
                    await yield()
                },
                spawn(name: "last") {
                    await yield()
                    clock.pass(.seconds(1))
                },
                spawn(name: "only") { clock.pass(.seconds(1)) },
            ]
            for task in tasks { try await task.value }
        }
        #expect(
            reports.map { $0.split(separator: ",")[0] }
                == ["first", "only", "last"].map { "A step of task \($0)" })
    }

    @Test("a task without a name is told by its number")
    func unnamed() throws {
        let reports = try reports { clock in
            try await spawn { clock.pass(.seconds(1)) }.value
        }
        #expect(reports.count == 1 && reports[0].hasPrefix("A step of task #2, from EventLoopTests/"))
    }

    @Test("the body of a timeout is told by the task that it runs in")
    func child() throws {
        let reports = try reports { clock in
            try await spawn(name: "fetch") {
                try await withTimeout(.seconds(5)) {
                    await yield()
                    clock.pass(.seconds(1))
                }
            }.value
        }
        #expect(reports.count == 1)
        #expect(reports[0].hasPrefix("A step of withTimeout of task fetch, from EventLoopTests/"))
    }

    @Test("what is gathered is told by the task that gathers it")
    func gathered() throws {
        let reports = try reports { clock in
            try await spawn(name: "all") {
                _ = try await gather([1, 2]) { number in
                    await yield()
                    if number == 2 { clock.pass(.seconds(1)) }
                }
            }.value
        }
        #expect(reports.count == 1)
        #expect(reports.first?.hasPrefix("A step of gather[1] of task all, from EventLoopTests/") == true)
    }

    @Test("a task that starts eagerly makes the step of who starts it slow")
    func eager() throws {
        let reports = try reports { clock in
            let task = spawn(name: "eager", eager: true) { clock.pass(.seconds(1)) }
            try await task.value
        }
        #expect(reports.count == 1 && reports[0].hasPrefix("A step of task main, from "))
    }

    @Test("a task that the loop did not start is reported as such")
    func plainTask() throws {
        let reports = try reports { clock in
            await Task(executorPreference: EventLoop.current.executor) { clock.pass(.seconds(1)) }.value
        }
        #expect(reports == ["A step of a task that the loop did not start, took 1.000 s."])
    }

    @Test("a slow call is reported with the place where it was scheduled")
    func calls() throws {
        let line = #line + 2
        let reports = try reports { clock in
            let loop = EventLoop.current
            loop.callSoon { clock.pass(.seconds(1)) }
            loop.callLater(.nanoseconds(1)) { clock.pass(.seconds(2)) }
            loop.callAt(loop.now) { clock.pass(.seconds(3)) }
            loop.callSoonThreadSafe { clock.pass(.seconds(4)) }
            while clock.now < 10_000_000_000 { await yield() }
        }
        let expected = (1...4).map {
            "A step of call, from EventLoopTests/DebugModeTests.swift:\(line + $0), took \($0).000 s."
        }
        #expect(reports.sorted() == expected)
    }

    @Test("without debug mode nothing looks at the steps")
    func off() throws {
        let loop = try EventLoop(debug: false)
        #expect(!loop.isDebugging && loop.engine.observer == nil)
    }

    @Test("debug mode is on if it is asked for")
    func on() throws {
        let loop = try EventLoop(debug: true)
        #expect(loop.isDebugging && loop.engine.observer(DebugObserver.self) != nil)
    }

    @Test("unless it is asked for or forbidden, EVENTLOOP_DEBUG turns it on")
    func environment() async {
        await #expect(processExitsWith: .success) {
            for (value, isOn) in [("1", true), ("yes", true), ("0", false), ("", false)] {
                setenv("EVENTLOOP_DEBUG", value, 1)
                let loops = (try EventLoop(), try EventLoop(debug: false), try EventLoop(debug: true))
                #expect(loops.0.isDebugging == isOn)
                #expect(!loops.1.isDebugging && loops.2.isDebugging)
            }
            unsetenv("EVENTLOOP_DEBUG")
            let loop = try EventLoop()
            #expect(!loop.isDebugging)
        }
    }

    @Test("by default reports go to standard error, a line each")
    func standardError() async throws {
        let result = try await #require(processExitsWith: .success, observing: [\.standardErrorContent]) {
            let loop = try EventLoop(debug: true)
            loop.slowStepThreshold = .zero
            try loop.runBody {}
        }
        #expect(result.sentence.hasPrefix("EventLoop: A step of task main, from EventLoopTests/"))
        #expect(result.sentence.hasSuffix("s.\n"))
        #expect(result.sentence.split(separator: "\n").count == 1)
    }

    @Test("nothing keeps a task longer than its step")
    func release() throws {
        let reports = try reports { _ in
            weak var record: TaskRecord?
            do { record = spawn { await yield() }.record }
            #expect(record != nil)
            await turns(3)
            #expect(record == nil)
        }
        #expect(reports.isEmpty)
    }

    @Test("durations are put into words in their unit")
    func words() {
        let words: [(Duration, String)] = [
            (.nanoseconds(999), "0 µs"), (.microseconds(999), "999 µs"), (.microseconds(1000), "1.0 ms"),
            (.microseconds(999_999), "999.9 ms"), (.seconds(1), "1.000 s"),
            (.milliseconds(61_034), "61.034 s"),
        ]
        for (duration, text) in words { #expect(duration.readable == text) }
    }
}
