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
            switch Int.random(in: 0..<13, using: &random) {
            case 0..<growth:
                let call = ScheduledCall(engine: engine) {}
                queue.append(.call(call))
                model.append(call)
            case _ where model.isEmpty: break
            case 12:
                let position = model.indices.randomElement(using: &random)!
                #expect(call(queue.remove(at: position)) === model.remove(at: position))
            case 11: #expect(call(queue.removeLast()) === model.removeLast())
            default: #expect(call(queue.removeFirst()) === model.removeFirst())
            }
            #expect(queue.count == model.count)
            #expect(queue.isEmpty == model.isEmpty)
        }
        for expected in model { #expect(call(queue.removeFirst()) === expected) }
        queue.deallocate()
    }

    @Test("taking one out of the middle leaves the others in their order, around the ring's end too")
    func removeAt() throws {
        let engine = try Engine()
        for start in 0..<8 {
            for position in 0..<8 {
                var queue = ReadyQueue(minimumCapacity: 8)
                let calls = (0..<8).map { _ in ScheduledCall(engine: engine) {} }
                for _ in 0..<start { queue.append(.call(calls[0])) }
                for _ in 0..<start { _ = queue.removeFirst() }
                for call in calls { queue.append(.call(call)) }
                #expect(call(queue.remove(at: position)) === calls[position])
                for (index, expected) in calls.enumerated() where index != position {
                    #expect(call(queue.removeFirst()) === expected)
                }
                #expect(queue.isEmpty)
                queue.deallocate()
            }
        }
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
