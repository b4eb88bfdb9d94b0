import EventLoop
import Glibc
import TestSupport
import Testing

@testable import EventLoopTesting

@Suite("tests that get stuck", .timeLimit(.minutes(5)))
struct StuckTests {
    @Test("tasks that wait for each other end, and the test fails with what they waited for")
    func deadlock() async throws {
        let trait = VirtualTimeTrait.virtualTime.withoutPatience()
        let observed = try await observe(trait) {
            let promise = Promise<Void>()
            let future = promise.future
            let task = spawn(name: "worker") {
                defer { withExtendedLifetime(promise) {} }
                try await future.value
            }
            try await task.value
        }
        let error = try #require(observed.error as? DeadlockError)
        let lines = error.tasks.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[1].contains("task worker, from EventLoopTestingTests/StuckTests.swift:"))
        #expect(lines[1].hasSuffix("waits for a future"))
        #expect(lines[3].contains("waits for task worker, from"))
    }

    @Test("a test that takes that for its own and gets stuck again fails for the first time")
    func stubborn() async throws {
        let trait = VirtualTimeTrait.virtualTime(seed: 3).withoutPatience()
        let observed = try await observe(trait) {
            try? await sleep(until: .never)
            let lock = Promise<Void>()
            try? await lock.future.value
            withExtendedLifetime(lock) {}
        }
        let failure = try #require(observed.error as? SeedFailure)
        let error = try #require(failure.error as? DeadlockError)
        #expect(failure.seed == 3)
        #expect(error.tasks.hasSuffix("waits for a timer"))
    }

    @Test("a test that waits elsewhere is not stuck, however long that takes")
    func elsewhere() async throws {
        let trait = VirtualTimeTrait.virtualTime.withoutPatience()
        let observed = try await observe(trait) {
            try await onThread { _ = usleep(20_000) }
        }
        #expect(observed.error == nil)
    }

    @Test("with patience, another thread's answer comes before a deadline")
    func patience() async throws {
        let observed = try await observe(.virtualTime(patience: .seconds(60))) {
            let loop = EventLoop.current
            let promise = Promise<Void>()
            let future = promise.future
            loop.callLater(.seconds(3600)) { Issue.record("time has passed") }
            let thread = Thread { loop.callSoonThreadSafe { promise.succeed() } }
            try await future.value
            #expect(loop.now == EventLoop.Instant(nanoseconds: 0))
            try await thread.value
        }
        #expect(observed.error == nil && observed.issues.isEmpty)
    }
}
