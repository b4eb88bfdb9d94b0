import TestSupport
import Testing

@testable import EventLoop

@Suite("Barrier", .timeLimit(.minutes(5)))
struct BarrierTests {
    @Test("all pass once the last has come, numbered in the order in which they came")
    func passes() async throws {
        try await onLoop { _ in
            let barrier = Barrier(3)
            #expect(barrier.parties == 3)
            let first = spawn { try await barrier.wait() }
            let second = spawn { try await barrier.wait() }
            await turns(3)
            #expect(barrier.waitingCount == 2)
            #expect(!first.isDone && !second.isDone)
            let last = try await barrier.wait()
            #expect(last == 2)
            #expect(barrier.waitingCount == 0)
            let firstNumber = try await first.value
            #expect(firstNumber == 0)
            let secondNumber = try await second.value
            #expect(secondNumber == 1)
        }
    }

    @Test("it works again and again, also when the next come before those let go have gone on")
    func again() async throws {
        try await onLoop { _ in
            let barrier = Barrier(3)
            let rounds = Recorder<[Int]>()
            try await gather(0..<3) { _ in
                for round in 0..<50 { rounds.add([round, try await barrier.wait()]) }
            }
            for round in 0..<50 {
                #expect(Set(rounds.all.filter { $0[0] == round }.map { $0[1] }) == [0, 1, 2])
            }
            // More tasks than pass at once: nobody is held up by those who pass.
            let numbers = try await gather(0..<30) { _ in try await barrier.wait() }
            for number in 0..<3 { #expect(numbers.count { $0 == number } == 10) }
        }
    }

    @Test("a barrier for one lets everybody pass at once")
    func one() async throws {
        try await onLoop { _ in
            let barrier = Barrier(1)
            for _ in 0..<3 {
                let number = try await barrier.wait()
                #expect(number == 0)
            }
        }
    }

    @Test("a waiter that is cancelled leaves, and another takes its place", arguments: TaskKind.allCases)
    func cancelledWaiter(kind: TaskKind) async throws {
        try await onLoop { loop in
            let barrier = Barrier(3)
            let tasks = (0..<2).map { _ in kind.start(on: loop) { try await barrier.wait() } }
            await turns(2)
            tasks[0].cancel()
            await #expect(throws: CancellationError.self) { try await tasks[0].value }
            #expect(barrier.waitingCount == 1)
            #expect(!barrier.isBroken)
            let third = kind.start(on: loop) { try await barrier.wait() }
            await turns(2)
            #expect(barrier.waitingCount == 2)
            let last = try await barrier.wait()
            #expect(last == 2)
            // No number twice, though the cancelled one had come first.
            let secondNumber = try await tasks[1].value
            #expect(secondNumber == 0)
            let thirdNumber = try await third.value
            #expect(thirdNumber == 1)
        }
    }

    @Test("a waiter that is cancelled once the last has come passes", arguments: TaskKind.allCases)
    func cancelledAfterTheLastCame(kind: TaskKind) async throws {
        try await onLoop { loop in
            let barrier = Barrier(2)
            let task = kind.start(on: loop) { try await barrier.wait() }
            await turns(2)
            let last = try await barrier.wait()
            #expect(last == 1)
            task.cancel()
            let taskNumber = try await task.value
            #expect(taskNumber == 0)
        }
    }

    @Test("abort breaks it for those who wait and those who come, until reset")
    func abort() async throws {
        try await onLoop { _ in
            let barrier = Barrier(2)
            let waiting = spawn { try await barrier.wait() }
            await turns(2)
            barrier.abort()
            #expect(barrier.isBroken)
            await #expect(throws: BrokenBarrier.self) { try await waiting.value }
            await #expect(throws: BrokenBarrier.self) { try await barrier.wait() }
            barrier.reset()
            #expect(!barrier.isBroken)
            let again = spawn { try await barrier.wait() }
            await turns(2)
            let last = try await barrier.wait()
            #expect(last == 1)
            let againNumber = try await again.value
            #expect(againNumber == 0)
        }
    }

    @Test("reset breaks it for those who wait, and not for those who come")
    func reset() async throws {
        try await onLoop { _ in
            let barrier = Barrier(2)
            let waiting = spawn { try await barrier.wait() }
            await turns(2)
            barrier.reset()
            #expect(!barrier.isBroken)
            let next = spawn { try await barrier.wait() }
            await #expect(throws: BrokenBarrier.self) { try await waiting.value }
            #expect(barrier.waitingCount == 1)
            let last = try await barrier.wait()
            #expect(last == 1)
            let nextNumber = try await next.value
            #expect(nextNumber == 0)
        }
    }

    @Test("those who were let go pass, even if the barrier is aborted before they go on")
    func abortAfterTheLastCame() async throws {
        try await onLoop { _ in
            let barrier = Barrier(2)
            let waiting = spawn { try await barrier.wait() }
            await turns(2)
            let last = try await barrier.wait()
            #expect(last == 1)
            barrier.abort()
            let waitingNumber = try await waiting.value
            #expect(waitingNumber == 0)
            await #expect(throws: BrokenBarrier.self) { try await barrier.wait() }
        }
    }

    @Test("a barrier that nobody waits at lets others go first, and notices a cancellation")
    func budget() async throws {
        try await onLoop { _ in
            let barrier = Barrier(1)
            let task = spawn {
                while true { try await barrier.wait() }
            }
            await turns(2)
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    @Test("a barrier for nobody traps with a sentence")
    func nobody() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { _ in _ = Barrier(0) }
        }
        #expect(result.sentence.contains("A barrier cannot be for 0 tasks"))
    }
}
