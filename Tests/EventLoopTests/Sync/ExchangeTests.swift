import Testing

@testable import EventLoop

@Suite("Exchange and HandOver", .timeLimit(.minutes(5)))
struct ExchangeTests {
    @Test("each item that comes in is counted once, also from hand to hand")
    func accepted() async throws {
        try await onLoop { loop in
            for capacity in [0, 1, 3] {
                nonisolated(unsafe) let exchange = Exchange<Int>(
                    engine: loop.engine, capacity: capacity, store: Ring())
                for number in 0..<10 { spawn { _ = try await exchange.put(number) } }
                await turns(2)
                for _ in 0..<10 { _ = try await exchange.take() }
                await turns(2)
                #expect(exchange.accepted == 10)
                let taker = spawn { try await exchange.take() }
                await turns(2)
                #expect(exchange.tryPut(11) == .accepted)
                #expect(exchange.accepted == 11)
                _ = try await taker.value
            }
        }
    }

    @Test("places are used again, and given back after a crowd")
    func places() throws {
        let engine = try Engine()
        let line = HandOver<Int>()
        func join(_ item: Int) -> Int { line.enter(engine.reserveWait(for: .space), with: item) }
        for round in 0..<100 {
            let place = join(round)
            #expect(line.take(on: engine) == round)
            let (left, wasServed) = line.leave(place)
            #expect(left == nil && wasServed)
        }
        #expect(line.placeCount == 1)
        let crowd = (0..<1000).map { join($0) }
        #expect(line.placeCount == 1000)
        // Those in the middle leave first.
        for place in crowd[300..<600] {
            let (left, wasServed) = line.leave(place)
            #expect(left == place && !wasServed)
        }
        for item in Array(0..<300) + Array(600..<1000) { #expect(line.take(on: engine) == item) }
        #expect(line.take(on: engine) == nil)
        for place in crowd[..<300] + crowd[600...] { #expect(line.leave(place).wasServed) }
        #expect(line.placeCount == 0 && line.items.isEmpty)
    }

    @Test("who is let go unserved finds the item where it was")
    func dismissed() throws {
        let engine = try Engine()
        let line = HandOver<Int>()
        let places = (0..<3).map { line.enter(engine.reserveWait(for: .space), with: $0) }
        line.dismissAll(on: engine)
        #expect(line.take(on: engine) == nil)
        for place in places {
            let (left, wasServed) = line.leave(place)
            #expect(left == place && !wasServed)
        }
    }
}
