import TestSupport
import Testing

@testable import EventLoop

@Suite("WaiterTable")
struct WaiterTableTests {
    @Test("a token whose wait is over finds nobody")
    func staleToken() throws {
        let engine = try Engine()
        var table = WaiterTable()
        let first = table.insert(.call(ScheduledCall(engine: engine) {}), for: .future)
        #expect(table.end(first, with: .woken) != nil)
        #expect(table.end(first, with: .woken) == nil)
        let second = table.insert(.call(ScheduledCall(engine: engine) {}), for: .future)
        #expect(second != first)
        #expect(table.end(first, with: .cancelled) == nil)
        #expect(table.count == 1)
        #expect(table.end(second, with: .woken) != nil)
        #expect(table.count == 0)
        table.deallocate()
    }

    @Test("a wait that ends before the task parks keeps how it ended, and ends once")
    func overBeforeParking() async {
        for wakeup in [Wakeup.woken, .cancelled] {
            var table = WaiterTable()
            let token = table.insert(.reserved, for: .future)
            #expect(table.end(token, with: wakeup) != nil)
            #expect(table.end(token, with: .woken) == nil)
            #expect(table.end(token, with: .cancelled) == nil)
            #expect(table.count == 1)
            let parked: Wakeup = await withUnsafeContinuation { continuation in
                continuation.resume(returning: table.park(token, continuation)!)
            }
            #expect(parked == wakeup)
            #expect(table.count == 0)
            table.deallocate()
        }
    }

    @Test("queues keep their order through random wake-ups and cancellations, as arrays do", arguments: 1...5)
    func queues(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var table = WaiterTable()
        let queues = (0..<4).map { _ in WaitQueue(for: .future) }
        var model = [[WaiterToken]](repeating: [], count: 4)
        var reserved: [WaiterToken] = []
        for _ in 0..<20_000 {
            let which = Int.random(in: 0..<4, using: &random)
            switch Int.random(in: 0..<8, using: &random) {
            case 0..<4:
                let token = table.insert(.reserved, for: .future)
                reserved.append(token)
                table.enqueue(token, in: queues[which])
                model[which].append(token)
            case 4..<6:
                // A wake-up: the first in line.
                #expect(table.firstToken(of: queues[which]) == model[which].first)
                guard !model[which].isEmpty else { break }
                #expect(table.end(model[which].removeFirst(), with: .woken) != nil)
            default:
                // A cancellation: anyone in line, or somebody who was in line.
                guard let index = model[which].indices.randomElement(using: &random) else { break }
                let token = model[which].remove(at: index)
                #expect(table.end(token, with: .cancelled) != nil)
                #expect(table.end(token, with: .woken) == nil)
            }
            #expect(queues[which].count == model[which].count)
            #expect(queues[which].isEmpty == model[which].isEmpty)
            #expect(table.firstToken(of: queues[which]) == model[which].first)
        }
        for which in 0..<4 {
            for expected in model[which] {
                #expect(table.firstToken(of: queues[which]) == expected)
                #expect(table.end(expected, with: .woken) != nil)
            }
            #expect(queues[which].isEmpty)
        }
        // None of them has parked, so each slot is still there for its task to find how it ended.
        #expect(table.count == reserved.count)
        table.deallocate()
    }
}
