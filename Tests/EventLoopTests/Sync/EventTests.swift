import TestSupport
import Testing

@testable import EventLoop

@Suite("Event", .timeLimit(.minutes(5)))
struct EventTests {
    @Test("a wait for an event that is set returns at once")
    func setBefore() async throws {
        try await onLoop { _ in
            let event = Event()
            #expect(!event.isSet)
            event.set()
            event.set()
            #expect(event.isSet)
            try await event.wait()
            event.clear()
            event.clear()
            #expect(!event.isSet)
        }
    }

    @Test("set wakes all who wait, in their order")
    func setLater() async throws {
        try await onLoop { _ in
            let event = Event()
            let order = Recorder<Int>()
            for number in 0..<50 {
                spawn {
                    try await event.wait()
                    order.add(number)
                }
            }
            await turns(2)
            #expect(order.count == 0)
            event.set()
            #expect(order.count == 0)
            await turns(2)
            #expect(order.all == Array(0..<50))
        }
    }

    @Test("set and clear in the same step wake all who waited, and nobody who comes then")
    func setAndClear() async throws {
        try await onLoop { _ in
            let event = Event()
            let order = Recorder<Int>()
            for number in 0..<3 {
                spawn {
                    try await event.wait()
                    order.add(number)
                }
            }
            await turns(2)
            event.set()
            event.clear()
            let late = spawn {
                try await event.wait()
                order.add(3)
            }
            await turns(3)
            #expect(order.all == [0, 1, 2])
            #expect(!event.isSet)
            event.set()
            try await late.value
            #expect(order.all == [0, 1, 2, 3])
        }
    }

    @Test("a waiter that is cancelled leaves the event to the others", arguments: TaskKind.allCases)
    func cancelledWaiter(kind: TaskKind) async throws {
        try await onLoop { loop in
            let event = Event()
            let first = kind.start(on: loop) { try await event.wait() }
            let second = kind.start(on: loop) { try await event.wait() }
            await turns(2)
            first.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
            event.set()
            try await second.value
        }
    }

    @Test("a waiter that waits again as soon as it goes on is woken once for each set")
    func waitsAgain() async throws {
        try await onLoop { _ in
            let event = Event()
            let wakes = Counter()
            let task = spawn {
                while true {
                    try await event.wait()
                    wakes.increment()
                    event.clear()
                }
            }
            for expected in 1...5 {
                await turns(2)
                event.set()
                await turns(2)
                #expect(wakes.value == expected)
            }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    @Test("another thread sets it through the loop")
    func fromElsewhere() async throws {
        try await onLoop { loop in
            let event = Event()
            let task = spawn { try await event.wait() }
            try await onThread { loop.callSoonThreadSafe { event.set() } }
            try await task.value
        }
    }

    @Test("an event that is always set lets others go first, and notices a cancellation")
    func budget() async throws {
        try await onLoop { _ in
            let event = Event()
            event.set()
            let task = spawn {
                while true { try await event.wait() }
            }
            await turns(2)
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    @Test("an event that is set on a wrong thread traps with a sentence")
    func wrongThread() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { _ in
                let event = Event()
                try await onThread { event.set() }
            }
        }
        #expect(result.sentence.contains("Event.set was called while another thread runs"))
    }
}
