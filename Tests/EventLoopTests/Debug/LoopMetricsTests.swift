import Glibc
import TestSupport
import Testing

@testable import EventLoop

@Suite("Metrics", .timeLimit(.minutes(5)))
struct LoopMetricsTests {
    @Test("a new loop has done nothing")
    func new() throws {
        let metrics = try EventLoop().metrics
        #expect([metrics.turns, metrics.events, metrics.steps, metrics.timersFired] == [0, 0, 0, 0])
        #expect([metrics.readySteps, metrics.mostReadySteps, metrics.tasks, metrics.waits] == [0, 0, 0, 0])
        #expect([metrics.timers, metrics.descriptors] == [0, 0])
        #expect(metrics.stepTimes == nil && metrics.timerLateness == nil)
    }

    @Test("it counts turns, steps, events and timers")
    func counts() throws {
        try virtually {
            let loop = EventLoop.current
            let before = loop.metrics
            await turns(3)
            let after = loop.metrics
            #expect(after.turns == before.turns + 3 && after.steps == before.steps + 3)
            #expect(after.events == before.events)
            loop.callSoon {}
            loop.callSoon {}
            await turns(1)
            #expect(loop.metrics.steps == after.steps + 3)
            #expect(loop.metrics.mostReadySteps == 3)
            try await sleep(for: .seconds(1))
            try await sleep(for: .seconds(1))
            #expect(loop.metrics.timersFired == 2)
            #expect(loop.metrics.events == after.events + 2)
        }
    }

    @Test("it knows what there is to do at the moment")
    func levels() async throws {
        try await onLoop { loop in
            let before = loop.metrics
            let sleeper = loop.spawn { try await sleep(for: .seconds(60)) }
            let call = loop.callLater(.seconds(60)) {}
            #expect(loop.metrics.readySteps == before.readySteps + 1)
            await turns(2)
            let metrics = loop.metrics
            #expect(metrics.tasks == 1 && metrics.waits == 2 && metrics.timers == 2)
            #expect(metrics.readySteps == 0 && metrics.descriptors == 0)
            call.cancel()
            sleeper.cancel()
            _ = await sleeper.result
            #expect(loop.metrics.tasks == 0 && loop.metrics.waits == 0 && loop.metrics.timers == 0)
        }
    }

    @Test("histograms count each step and each timer, once they are asked for")
    func histograms() throws {
        try virtually {
            let loop = EventLoop.current
            loop.enableHistograms()
            loop.enableHistograms()
            // The step that asks has begun before.
            await turns(1)
            #expect(loop.metrics.stepTimes?.count == 0)
            await turns(10)
            #expect(loop.metrics.stepTimes?.count == 10)
            #expect(loop.metrics.timerLateness?.count == 0)
            for _ in 0..<5 { try await sleep(for: .seconds(1)) }
            #expect(loop.metrics.timerLateness?.count == 5)
            #expect(loop.metrics.timerLateness?.longest == .zero)
            #expect(loop.metrics.stepTimes?.count == 15)
            loop.disableHistograms()
            await turns(1)
            #expect(loop.metrics.stepTimes == nil && loop.metrics.timerLateness == nil)
            #expect(loop.engine.observer == nil)
        }
    }

    @Test("a step's time is that of its work")
    func stepTime() throws {
        try virtually {
            let loop = EventLoop.current
            loop.enableHistograms()
            await turns(1)
            usleep(2000)
            await turns(1)
            #expect(loop.metrics.stepTimes!.longest! >= .milliseconds(2))
        }
    }

    @Test("it is not for other threads while the loop runs")
    func threads() async throws {
        let result = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await onLoop { loop in try await onThread { _ = loop.metrics } }
        }
        #expect(result.sentence.contains("metrics was called while another thread runs the event loop"))
    }
}
