import EventLoop
import Glibc
import Synchronization

let runCases = [
    Case("run returns what the body returned") {
        try check(try EventLoop.run { 42 } == 42, "42")
    },
    Case("run throws what the body threw") {
        try check(throws: CaseError()) { try EventLoop.run { throw CaseError() } }
    },
    Case("a nested run throws alreadyRunning before anything happens") {
        try nestedRun()
    },
    Case("run works again, and leaves no descriptor") {
        let before = openDescriptors()
        for round in 0..<3 {
            let value = try EventLoop.run {
                try await sleep(for: .milliseconds(1))
                try await Task.sleep(for: .milliseconds(1))
                return await Task { round }.value
            }
            try check(value == round, "round \(round)")
            try check(openDescriptors() == before, "\(openDescriptors()) descriptors as before, \(before)")
        }
    },
    Case("a run on a second thread throws processModeTaken") {
        try EventLoop.run {
            let caught: String = await withCheckedContinuation { continuation in
                startThread {
                    do {
                        try EventLoop.run {}
                        continuation.resume(returning: "nothing")
                    } catch {
                        continuation.resume(returning: "\(error)")
                    }
                }
            }
            try check(caught == "\(EventLoopError.processModeTaken)", caught)
        }
    },
    Case("a loop of its own runs on a second thread at the same time") {
        try EventLoop.run {
            let value: Int = await withCheckedContinuation { continuation in
                startThread {
                    continuation.resume(returning: (try? EventLoop().run { isOnLoop() ? 7 : 0 }) ?? -1)
                }
            }
            try check(value == 7, "\(value)")
        }
    },
    Case("loops on threads of their own close their descriptors") {
        let before = openDescriptors()
        for _ in 0..<10 {
            let loops = try (0..<5).map { _ in try EventLoop() }
            try check(openDescriptors() == before + 15, "three descriptors for each loop")
            for loop in loops { try loop.run { try await sleep(for: .microseconds(10)) } }
        }
        try check(openDescriptors() == before, "\(openDescriptors()) descriptors as before, \(before)")
    },
    Case("no loop can be made without descriptors, and run leaves everything as it was") {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let before = limit
        // Room for two; a loop needs three.
        let free = (0..<1024).filter { fcntl($0, F_GETFD) < 0 }
        limit.rlim_cur = rlim_t(free[2])
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        do {
            try EventLoop.run {}
            throw Failure(description: "a loop was made")
        } catch let error as SystemError {
            try check(error.code == EMFILE, "\(error)")
        }
        limit = before
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        try check(try EventLoop.run { await Task { 1 }.value } == 1, "a run afterwards")
    },
    Case("the body of main-actor code mutates main-actor state without await") {
        var state = 0
        try EventLoop.run {
            MainActor.assertIsolated()
            state += 1
            try await sleep(for: .milliseconds(1))
            MainActor.assertIsolated()
            state += 1
        }
        try check(state == 2, "\(state)")
    },
    Case("the body of nonisolated code is nonisolated, and on the loop") {
        try runNonisolated()
    },
    Case("stop cancels the body, which may clean up") {
        let log = try EventLoop.run {
            var log: [String] = []
            let loop = EventLoop.current
            loop.callSoon { loop.stop() }
            do { try await sleep(until: .never) } catch { log.append("\(type(of: error))") }
            try? await Task { try await sleep(for: .milliseconds(1)) }.value
            log.append("cleaned up")
            return log
        }
        try check(log == ["CancellationError", "cleaned up"], "\(log)")
    },
]

nonisolated private func nestedRun() throws {
    try EventLoop.run {
        let ran = Flag()
        try check(throws: EventLoopError.alreadyRunning) { try EventLoop.run { ran.raise() } }
        try check(throws: EventLoopError.alreadyRunning) { try EventLoop().run { ran.raise() } }
        for _ in 0..<3 { await yield() }
        try check(!ran.isRaised, "the nested body has run")
        // And the outer run has lost nothing.
        try check(await Task { isOnLoop() }.value, "tasks still run on the loop")
    }
}

nonisolated private func runNonisolated() throws {
    try EventLoop.run {
        try check(#isolation == nil, "no isolation")
        try check(isOnLoop(), "on the loop")
        try await sleep(for: .milliseconds(1))
        try check(isOnLoop(), "on the loop after a sleep")
    }
}

final class Flag: Sendable {
    private let value = Atomic(false)

    func raise() { value.store(true, ordering: .sequentiallyConsistent) }

    var isRaised: Bool { value.load(ordering: .sequentiallyConsistent) }
}

func startThread(_ body: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    pthread_create(
        &thread, nil,
        { argument in
            Unmanaged<ThreadBody>.fromOpaque(argument!).takeRetainedValue().body()
            return nil
        }, Unmanaged.passRetained(ThreadBody(body)).toOpaque())
    pthread_detach(thread)
}

private final class ThreadBody: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) {
        self.body = body
    }
}
