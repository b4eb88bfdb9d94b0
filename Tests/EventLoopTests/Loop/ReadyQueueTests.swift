import TestSupport
import Testing

@testable import EventLoop

@Suite("ReadyQueue")
struct ReadyQueueTests {
    @Test("it does what an array would do, through growth and around the ring's end", arguments: 1...5)
    func model(seed: UInt64) throws {
        let engine = try Engine()
        var random = SeededGenerator(seed: seed)
        var queue = ReadyQueue(minimumCapacity: 2)
        var model: [ScheduledCall] = []
        for step in 0..<20_000 {
            // Grows in the first half, shrinks in the second.
            let growth = step < 10_000 ? 7 : 4
            switch Int.random(in: 0..<12, using: &random) {
            case 0..<growth:
                let call = ScheduledCall(engine: engine) {}
                queue.append(.call(call))
                model.append(call)
            case _ where model.isEmpty: break
            case 11: #expect(call(queue.removeLast()) === model.removeLast())
            default: #expect(call(queue.removeFirst()) === model.removeFirst())
            }
            #expect(queue.count == model.count)
            #expect(queue.isEmpty == model.isEmpty)
        }
        for expected in model { #expect(call(queue.removeFirst()) === expected) }
        queue.deallocate()
    }

    @Test("what is left is released")
    func releases() throws {
        let engine = try Engine()
        var queue = ReadyQueue()
        weak var left: ScheduledCall?
        do {
            let call = ScheduledCall(engine: engine) {}
            left = call
            queue.append(.call(call))
        }
        #expect(left != nil)
        queue.deallocate()
        #expect(left == nil)
    }

    private func call(_ item: ReadyQueue.Item) -> ScheduledCall? {
        if case .call(let call) = item { call } else { nil }
    }
}
