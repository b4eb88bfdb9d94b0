import TestSupport
import Testing

@testable import EventLoop

@Suite("TaskIndex")
struct TaskIndexTests {
    @Test("it does what a dictionary would do, through growing and shrinking", arguments: 1...5)
    func model(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let engine = try Engine()
        var index = TaskIndex()
        defer { index.deallocate() }
        var model: [UInt: TaskNode] = [:]
        for step in 0..<20_000 {
            // Few distinct addresses, so that they collide and come back; more of them half of the time.
            let task = UInt.random(in: 1...600, using: &random) * 16
            let grows = step / 2_000 % 2 == 0
            if model[task] == nil, grows || Int.random(in: 0..<4, using: &random) == 0 {
                let wait = TaskNode(engine: engine)
                model[task] = wait
                index.insert(wait, for: task)
            } else {
                model[task] = nil
                index.remove(task)
            }
            let probe = UInt.random(in: 1...600, using: &random) * 16
            #expect(index[probe] === model[probe])
        }
        for (task, wait) in model { #expect(index[task] === wait) }
    }

    @Test("a task that was never entered is not found, and removing it does nothing")
    func absent() {
        var index = TaskIndex()
        defer { index.deallocate() }
        #expect(index[16] == nil)
        index.remove(16)
        #expect(index[16] == nil)
    }

    @Test("a cancelled task's next wait is over before it parks, and takes no slot")
    func cancelledBeforeWaiting() async throws {
        try await onLoop { _ in
            let task = spawn {
                withUnsafeCurrentTask { $0?.cancel() }
                try await sleep(for: .seconds(1_000))
            }
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    @Test("each wait of a spawned task hears of its cancellation, and so do a child's")
    func everyWait() async throws {
        try await onLoop { _ in
            let promise = Promise<Void>()
            let task = spawn { () -> [String] in
                var ended: [String] = []
                do { try await promise.future.value } catch { ended.append("first") }
                do { try await sleep(for: .seconds(1_000)) } catch { ended.append("second") }
                async let child: Void = sleep(for: .seconds(1_000))
                do { try await child } catch { ended.append("child") }
                return ended
            }
            await yield()
            task.cancel()
            let ended = try await task.value
            #expect(ended == ["first", "second", "child"])
        }
    }
}
