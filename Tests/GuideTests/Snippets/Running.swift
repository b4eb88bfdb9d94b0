// Code of the guide: loops of one's own, and the calls that they make.

import EventLoop
import TestSupport
import Testing

@Suite("In the guide: running", .timeLimit(.minutes(5)))
struct RunningSnippets {
    @Test("a loop runs one body after another, and is closed")
    func runner() throws {
        // snippet.Runner
        let loop = try EventLoop()
        let first = try loop.run { try await fetch("A", taking: .milliseconds(1)) }
        let second = try loop.run { try await fetch("B", taking: .milliseconds(1)) }
        try loop.close()
        // snippet.end
        #expect((first, second) == ("A done", "B done"))
        #expect(throws: EventLoopError.closed) { try loop.run() }
    }

    @Test("run() runs until stop(), and what was scheduled before comes first")
    func forever() throws {
        // snippet.new_event_loop
        let loop = try EventLoop()
        // snippet.end
        let log = Log()
        loop.callSoon {
            // snippet.stop
            loop.stop()
            // snippet.end
            log.add("stopped")
        }
        // snippet.run_forever
        try loop.run()
        // snippet.end
        #expect(log.lines == ["stopped"])
        // snippet.run_until_complete
        let page = try loop.run { try await fetch("A", taking: .milliseconds(1)) }
        // snippet.end
        #expect(page == "A done")
        // snippet.close
        try loop.close()
        // snippet.end
        #expect(throws: EventLoopError.closed) { try loop.run() }
    }

    @Test("the current loop is the one that runs, and outside there is none")
    func current() throws {
        let loop = try EventLoop(clock: .virtual)
        try loop.run {
            // snippet.get_running_loop
            let loop = EventLoop.current
            // snippet.end
            #expect(loop === EventLoop.currentIfAny)
            // snippet.is_running
            let isHere = loop.isOnLoopThread
            // snippet.end
            #expect(isHere)
        }
        // snippet.no_running_loop
        let none = EventLoop.currentIfAny
        // snippet.end
        #expect(none == nil)
        try loop.close()
    }

    @Test("a run within a run is an error")
    func nested() throws {
        try virtually {
            #expect(throws: EventLoopError.alreadyRunning) { try EventLoop().run {} }
        }
    }

    @Test("calls come soon, later, and at their time; a cancelled one does not")
    func calls() throws {
        try virtually {
            let loop = EventLoop.current
            let log = Log()
            // snippet.call_soon
            loop.callSoon { log.add("soon") }
            // snippet.end
            // snippet.call_later
            let call = loop.callLater(.seconds(2)) { log.add("later") }
            // snippet.end
            // snippet.time
            let start = loop.now
            // snippet.end
            // snippet.call_at
            loop.callAt(start.advanced(by: .seconds(1))) { log.add("at its time") }
            // snippet.end
            try await sleep(for: .milliseconds(1500))
            #expect(log.lines == ["soon", "at its time"])
            // snippet.Handle.cancel
            call.cancel()
            // snippet.end
            #expect(call.isCancelled)
            try await sleep(for: .seconds(2))
            #expect(log.lines == ["soon", "at its time"])
        }
    }

    @Test("another thread has a loop call something")
    func threadSafe() async throws {
        let loop = try EventLoop()
        let thread = TestSupport.Thread {
            // snippet.call_soon_threadsafe
            loop.callSoonThreadSafe { loop.stop() }
            // snippet.end
        }
        // Returns because of the call, before or after which it may begin. On a thread of its own, for the
        // other one needs one of the test's to begin.
        try await onThread {
            try loop.run()
            try loop.close()
        }
        try await thread.value
    }
}
