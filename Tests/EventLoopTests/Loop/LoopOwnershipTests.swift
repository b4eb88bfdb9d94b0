import TestSupport
import Testing

@testable import EventLoop

/// Last references go on any thread, and when they like.
@Suite("Who has a loop", .timeLimit(.minutes(5)))
struct LoopOwnershipTests {
    @Test("what goes on one thread while another begins to run the loop is done by one of them")
    func goesAsARunBegins() async throws {
        let loop = try EventLoop()
        for _ in 0..<200 {
            let futures = Recorder<Future<Int>>()
            let dropping = Self.dropPromises(20, on: loop, futures)
            let running = Thread { for _ in 0..<20 { try loop.runBody { await yield() } } }
            try await dropping.value
            try await running.value
            try loop.runBody { await yield() }
            #expect(futures.all.allSatisfy { $0.isDone })
        }
        expectNothingLeft(on: loop)
    }

    /// A thread that has the last references to as many promises.
    private static func dropPromises(
        _ count: Int, on loop: EventLoop, _ futures: Recorder<Future<Int>>
    ) -> Thread<Void> {
        let promises = (0..<count).map { _ in Promise<Int>(on: loop) }
        for promise in promises { futures.add(promise.future) }
        return Thread { [promises] in withExtendedLifetime(promises) {} }
    }

    @Test("what goes when no thread runs the loop is done at once, where it goes")
    func goesWhileNothingRuns() async throws {
        let loop = try EventLoop()
        let future = try await onThread {
            let promise = Promise<Int>(on: loop)
            return promise.future
        }
        #expect(future.isDone)
        let hasMessages = loop.engine.inbox.hasMessages
        #expect(!hasMessages)
    }

    @Test("what goes while another thread runs the loop is done there")
    func goesWhileItRuns() async throws {
        try await onLoop { loop in
            let futures = Recorder<Future<Int>>()
            let thread = Self.dropPromises(1, on: loop, futures)
            let future = futures.all[0]
            await #expect(throws: AbandonedPromise.self) { try await future.value }
            try await thread.value
        }
    }
}
