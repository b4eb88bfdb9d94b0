/// Names values by index and generation, so that a name which outlived its value finds nothing.
struct SlotTable<Element> {
    private struct Slot {
        var element: Element?
        var generation: UInt32
        var nextFree: UInt32
    }

    private var slots: [Slot] = []
    private var firstFree = UInt32.max
    private(set) var count = 0

    mutating func insert(_ element: Element) -> UInt64 {
        let index: UInt32
        if firstFree == .max {
            index = UInt32(slots.count)
            slots.append(Slot(element: element, generation: 1, nextFree: .max))
        } else {
            index = firstFree
            firstFree = slots[Int(index)].nextFree
            slots[Int(index)].element = element
        }
        count += 1
        return UInt64(slots[Int(index)].generation) << 32 | UInt64(index)
    }

    subscript(token: UInt64) -> Element? {
        let index = Int(UInt32(truncatingIfNeeded: token))
        guard index < slots.count, slots[index].generation == UInt32(token >> 32) else { return nil }
        return slots[index].element
    }

    @discardableResult
    mutating func remove(_ token: UInt64) -> Element? {
        let index = Int(UInt32(truncatingIfNeeded: token))
        guard index < slots.count, slots[index].generation == UInt32(token >> 32),
            let element = slots[index].element
        else { return nil }
        slots[index].element = nil
        slots[index].generation &+= 1
        slots[index].nextFree = firstFree
        firstFree = UInt32(index)
        count -= 1
        return element
    }

    var elements: [Element] { slots.compactMap(\.element) }
}
