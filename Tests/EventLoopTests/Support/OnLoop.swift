import Glibc
import TestSupport
import Testing

@testable import EventLoop

/// Runs `body` on a fresh loop on a fresh thread, and then looks whether anything was left behind: a parked
/// task, a timer, a watched descriptor, a task, or the loop itself, which closes its descriptors in the end.
///
/// The body is part of the test's own task, so that expectations in it belong to the test.
func onLoop<Success: Sendable>(
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (EventLoop) async throws -> Success
) async throws -> Success {
    weak var engine: Engine?
    let result: Result<Success, any Error>
    do {
        let loop = try EventLoop()
        engine = loop.engine
        let thread = Thread { try loop.run() }
        do {
            result = .success(
                try await withTaskExecutorPreference(loop.executor) {
                    #expect(loop.isOnLoopThread, sourceLocation: sourceLocation)
                    return try await body(loop)
                })
        } catch {
            result = .failure(error)
        }
        loop.stop()
        try await thread.value
        expectNothingLeft(on: loop, sourceLocation: sourceLocation)
    }
    // A thread that has just left something for the loop holds it a moment longer.
    for _ in 0..<10_000 where engine != nil { usleep(1000) }
    #expect(engine == nil, "something still holds the loop", sourceLocation: sourceLocation)
    return try result.get()
}

/// A loop that is not running any more has nothing that waits.
func expectNothingLeft(on loop: EventLoop, sourceLocation: SourceLocation = #_sourceLocation) {
    let engine = loop.engine
    #expect(engine.waiters.count == 0, "waiters left", sourceLocation: sourceLocation)
    #expect(engine.reactor.timerCount == 0, "timers left", sourceLocation: sourceLocation)
    #expect(engine.observers.count == 0, "watched descriptors left", sourceLocation: sourceLocation)
    #expect(engine.signalObservers.count == 0, "signals left", sourceLocation: sourceLocation)
    #expect(engine.tasks.count == 0, "tasks left", sourceLocation: sourceLocation)
    #expect(engine.ready.isEmpty, "ready work left", sourceLocation: sourceLocation)
}

/// Lets the loop take `count` turns.
func turns(_ count: Int = 1) async {
    for _ in 0..<count { await yield() }
}

extension EventLoop {
    /// `run { … }`, which in these tests could also mean the internal `run(until:)`.
    @discardableResult
    func runBody<Success: Sendable>(
        _ body: sending @escaping @isolated(any) () async throws -> Success
    ) throws -> Success {
        try run(body)
    }
}

/// Operations for gather, of the one type that it takes.
func operations<Value>(
    _ count: Int, _ make: (Int) -> () async throws -> Value
) -> [() async throws -> Value] {
    var operations: [() async throws -> Value] = []
    for index in 0..<count { operations.append(make(index)) }
    return operations
}

/// Runs `body` on a fresh loop whose time is virtual, on this thread, and looks whether anything was left
/// behind.
@discardableResult
func virtually<Success: Sendable>(
    seed: UInt64? = nil, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: sending @escaping @isolated(any) () async throws -> Success
) throws -> Success {
    let loop = try EventLoop(clock: .virtual, seed: seed)
    defer { expectNothingLeft(on: loop, sourceLocation: sourceLocation) }
    return try loop.runBody(body)
}

/// How long it takes on the current loop's clock.
func elapsed(_ body: () async throws -> Void) async rethrows -> Duration {
    let start = EventLoop.current.now
    try await body()
    return start.duration(to: EventLoop.current.now)
}
