import TestSupport
import Testing

@testable import EventLoop

@Suite("SharedResult", .timeLimit(.minutes(5)))
struct SharedResultTests {
    @Test("the first result stays")
    func once() throws {
        let result = SharedResult<Int>()
        #expect(result.current == nil)
        #expect(result.set(.success(1)))
        #expect(!result.set(.success(2)))
        #expect(!result.set(.failure(TestError("late"))))
        #expect(try result.current?.get() == 1)
        #expect(try result.wait(until: EventLoop.Instant(nanoseconds: 0))?.get() == 1)
    }

    @Test("observers are called once, in their order, also when it is set already, and then released")
    func observers() {
        let result = SharedResult<Int>()
        let log = Recorder<Int>()
        let gone = Counter()
        do {
            let canary = Canary { gone.increment() }
            for number in 0..<3 { result.whenSet { withExtendedLifetime(canary) { log.add(number) } } }
        }
        #expect(log.count == 0)
        result.set(.success(0))
        #expect(log.all == [0, 1, 2])
        #expect(gone.value == 1)
        result.whenSet { log.add(3) }
        result.set(.success(0))
        #expect(log.all == [0, 1, 2, 3])
    }

    @Test("of many threads that set it one succeeds, and all that wait get the same")
    func races() async throws {
        for _ in 0..<50 {
            let result = SharedResult<Int>()
            let observed = Counter()
            let waiters = (0..<2).map { _ in Thread { try result.wait()!.get() } }
            let setters = (0..<3).map { number in
                Thread {
                    result.whenSet { observed.increment() }
                    return result.set(.success(number))
                }
            }
            var winners: [Int] = []
            for (number, setter) in setters.enumerated() where try await setter.value {
                winners.append(number)
            }
            #expect(winners.count == 1)
            for waiter in waiters {
                let value = try await waiter.value
                #expect(value == winners.first)
            }
            #expect(observed.value == 3)
        }
    }

    @Test("a deadline ends a wait, and one that has passed is only a look")
    func deadline() async throws {
        let result = SharedResult<Int>()
        try await onThread {
            for deadline in [
                EventLoop.Instant(nanoseconds: 0), .real(in: .milliseconds(1)), .real(in: .zero),
            ] {
                #expect(result.wait(until: deadline) == nil)
                #expect(EventLoop.Instant.real(in: .zero) >= deadline, "not early")
            }
        }
    }

    @Test("the value of a task on a loop, and of one on none", arguments: [true, false])
    func value(isLoops: Bool) async throws {
        let result = SharedResult<Int>()
        let setter = Thread { result.set(.success(3)) }
        let wait = { () async throws -> Int in try await result.value(from: nil, for: .thread).get() }
        let value = isLoops ? try await onLoop { _ in try await wait() } : try await wait()
        #expect(value == 3)
        _ = try await setter.value
    }
}
