import TestSupport
import Testing

@testable import EventLoop

@Suite("ItemStore", .timeLimit(.minutes(5)))
struct ItemStoreTests {
    @Test("a ring does what an array would do, through growth, ebb and around its end", arguments: 1...5)
    func ring(seed: UInt64) {
        drive(Ring<Item>(), seed: seed) { _ in 0 }
    }

    @Test("a stack gives the last", arguments: 1...5)
    func stack(seed: UInt64) {
        drive(Stack<Item>(), seed: seed) { $0.count - 1 }
    }

    @Test("a heap gives the least, and of equals the first", arguments: 1...5)
    func heap(seed: UInt64) {
        drive(Heap<Item>(by: { $0.rank < $1.rank }), seed: seed) { model in
            model.indices.min { (model[$0].rank, model[$0].number) < (model[$1].rank, model[$1].number) }!
        }
    }

    @Test("the ring gives its memory back after a burst")
    func ringGivesMemoryBack() {
        let ring = Ring<Int>()
        for number in 0..<100_000 { ring.insert(number) }
        #expect(ring.capacity >= 100_000)
        for number in 0..<100_000 { #expect(ring.removeNext() == number) }
        #expect(ring.capacity <= 64)
    }

    @Test("a ring in a steady state keeps its memory")
    func ringKeepsSteadyMemory() {
        let ring = Ring<Int>()
        for number in 0..<48 { ring.insert(number) }
        let capacity = ring.capacity
        for _ in 0..<1000 {
            for _ in 0..<48 { _ = ring.removeNext() }
            #expect(ring.capacity == capacity)
            for number in 0..<48 { ring.insert(number) }
        }
        #expect(ring.capacity == capacity)
    }

    @Test("what is left is released with its store, and what is dropped at once")
    func releases() {
        func check<Store: ItemStore<Tracked>>(_ make: () -> Store) {
            let alive = Counter()
            var store: Store? = make()
            for _ in 0..<20 { store!.insert(Tracked(alive)) }
            _ = store!.removeNext()
            #expect(alive.value == 19)
            store!.removeAll(except: 3)
            #expect(alive.value == 3)
            #expect(store!.count == 3)
            store = nil
            #expect(alive.value == 0)
        }
        check { Ring() }
        check { Stack() }
        check { Heap(by: { _, _ in false }) }
    }

    @Test("an item whose deinit uses its store finds it in order")
    func reentrantRelease() {
        func check(_ store: some ItemStore<Reentrant>) {
            let seen = Recorder<Int>()
            for _ in 0..<3 {
                store.insert(Reentrant { [weak store] in seen.add(store?.count ?? 0) })
            }
            store.removeAll(except: 1)
            withExtendedLifetime(store) { #expect(seen.all == [1, 1]) }
        }
        check(Ring())
        check(Stack())
        check(Heap(by: { _, _ in false }))
    }

    private func drive(_ store: some ItemStore<Item>, seed: UInt64, next: ([Item]) -> Int) {
        var random = SeededGenerator(seed: seed)
        var model: [Item] = []
        for step in 0..<3000 {
            // It grows, shrinks, and grows again.
            let growth = (step / 1000).isMultiple(of: 2) ? 8 : 3
            switch Int.random(in: 0..<12, using: &random) {
            case 0..<growth:
                let item = Item(rank: Int.random(in: 0..<6, using: &random), number: step)
                store.insert(item)
                model.append(item)
            case _ where model.isEmpty: break
            case 11 where step % 50 == 0:
                let kept = Int.random(in: 0...min(4, model.count), using: &random)
                store.removeAll(except: kept)
                var rest: [Item] = []
                for _ in 0..<kept { rest.append(model.remove(at: next(model))) }
                model = rest.sorted { $0.number < $1.number }
            default:
                #expect(store.removeNext() == model.remove(at: next(model)))
            }
            #expect(store.count == model.count)
        }
        while !model.isEmpty { #expect(store.removeNext() == model.remove(at: next(model))) }
        #expect(store.count == 0)
    }
}

private struct Item: Equatable {
    let rank: Int
    let number: Int
}

private final class Reentrant {
    private let action: () -> Void

    init(_ action: @escaping () -> Void) {
        self.action = action
    }

    deinit { action() }
}
