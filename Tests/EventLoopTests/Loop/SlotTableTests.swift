import TestSupport
import Testing

@testable import EventLoop

@Suite("SlotTable")
struct SlotTableTests {
    @Test("a token finds its value until it is removed, and nothing afterwards")
    func staleToken() {
        var table = SlotTable<String>()
        let first = table.insert("first")
        #expect(table[first] == "first")
        #expect(table.remove(first) == "first")
        #expect(table[first] == nil)
        #expect(table.remove(first) == nil)
        let second = table.insert("second")
        #expect(second != first, "the slot is used again, the token is not")
        #expect(table[first] == nil)
        #expect(table.remove(first) == nil)
        #expect(table[second] == "second")
        #expect(table.count == 1)
    }

    @Test("a token that was never given out finds nothing")
    func foreignToken() {
        var table = SlotTable<Int>()
        #expect(table[0] == nil)
        #expect(table[.max] == nil)
        let token = table.insert(1)
        #expect(table[token + 1] == nil)
        #expect(table.remove(token + 1) == nil)
        #expect(table.count == 1)
    }

    @Test("it does what a dictionary would do", arguments: 1...3)
    func model(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var table = SlotTable<Int>()
        var model: [UInt64: Int] = [:]
        var stale: [UInt64] = []
        for step in 0..<5000 {
            if Bool.random(using: &random) || model.isEmpty {
                let token = table.insert(step)
                #expect(model[token] == nil)
                model[token] = step
            } else {
                let token = model.keys.sorted().randomElement(using: &random)!
                #expect(table.remove(token) == model.removeValue(forKey: token))
                stale.append(token)
            }
            if let token = stale.randomElement(using: &random) { #expect(table[token] == nil) }
            #expect(table.count == model.count)
        }
        for (token, value) in model { #expect(table[token] == value) }
    }
}
