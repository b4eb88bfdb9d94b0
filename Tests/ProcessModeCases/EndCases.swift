import Dispatch
import EventLoop
import Synchronization

/// What happens when the body has ended.
let endCases = [
    Case("at the end spawned tasks are cancelled and awaited") {
        let log = Log()
        try EventLoop.run {
            for number in 0..<3 {
                spawn {
                    do { try await sleep(until: .never) } catch {
                        log.add("cancelled \(number)")
                        for _ in 0..<5 { await yield() }
                        try? await Task.sleep(for: .milliseconds(1))
                        log.add("ended \(number)")
                        throw error
                    }
                }
            }
            await yield()
            await yield()
        }
        try check(
            log.all.sorted() == (0..<3).map { "cancelled \($0)" } + (0..<3).map { "ended \($0)" },
            "\(log.all)")
    },
    Case("at the end a task that a task spawns is cancelled, too") {
        let log = Log()
        try EventLoop.run {
            spawn {
                try? await sleep(until: .never)
                spawn {
                    do { try await sleep(until: .never) } catch { log.add("\(type(of: error))") }
                }
            }
            await yield()
        }
        try check(log.all == ["CancellationError"], "\(log.all)")
    },
    Case("at the end errors that nobody looked at are reported through the handler") {
        let log = Log()
        try EventLoop.run {
            EventLoop.current.setErrorHandler { log.add("\($0.taskName ?? "-") \($0.error)") }
            spawn(name: "failed before") { throw CaseError() }
            spawn(name: "fails at the end") {
                do { try await sleep(until: .never) } catch { throw CaseError() }
            }
            spawn(name: "is only cancelled") { try await sleep(until: .never) }
            for _ in 0..<3 { await yield() }
        }
        try check(
            log.all.sorted() == ["failed before CaseError()", "fails at the end CaseError()"], "\(log.all)")
    },
    Case("at the end plain tasks that wait in the library get a CancellationError") {
        let log = Log()
        try EventLoop.run {
            Task {
                do { try await sleep(until: .never) } catch { log.add("sleep \(type(of: error))") }
            }
            let promise = Promise<Int>()
            Task {
                do { _ = try await promise.future.value } catch { log.add("future \(type(of: error))") }
                _ = promise
            }
            await yield()
            await yield()
        }
        try check(log.all == ["sleep CancellationError", "future CancellationError"], "\(log.all)")
    },
    Case("the end also comes when the body throws, and the error is the body's") {
        let log = Log()
        try check(throws: CaseError()) {
            try EventLoop.run {
                spawn {
                    do { try await sleep(until: .never) } catch { log.add("cancelled") }
                }
                await yield()
                await yield()
                throw CaseError()
            }
        }
        try check(log.all == ["cancelled"], "\(log.all)")
    },
    Case("after the run the process has its former executors back") {
        try EventLoop.run { await Task {}.value }
        let log = Log()
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            log.add(EventLoop.currentIfAny == nil ? "no loop" : "a loop")
            try? await Task.sleep(for: .milliseconds(1))
            await Task.yield()
            async let value = 1
            log.add("slept, \(await value)")
            done.signal()
        }
        done.wait()
        try check(log.all == ["no loop", "slept, 1"], "\(log.all)")
        try check(EventLoop.currentIfAny == nil, "no current loop")
    },
    Case("Task.sleep that is left behind does not keep the run from ending") {
        try EventLoop.run {
            Task { try await Task.sleep(for: .seconds(3600)) }
            await yield()
            await yield()
        }
    },
    Case("work goes on through many runs one after another") {
        var total = 0
        for round in 0..<50 {
            total += try EventLoop.run {
                try await gather({ round }, { await Task { 1 }.value }).0
            }
        }
        try check(total == 1225, "\(total)")
    },
]

final class Log: Sendable {
    private let lines = Mutex<[String]>([])

    func add(_ line: String) { lines.withLock { $0.append(line) } }

    var all: [String] { lines.withLock { $0 } }
}
