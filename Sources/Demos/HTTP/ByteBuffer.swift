/// Bytes with a front and a back, in memory that is used again and again.
struct ByteBuffer: ~Copyable {
    private var memory: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0

    init(capacity: Int) {
        memory = .allocate(byteCount: capacity, alignment: 1)
    }

    deinit {
        memory.deallocate()
    }

    var count: Int { end - start }
    var isEmpty: Bool { start == end }
    var isFull: Bool { count == memory.count }

    /// What is in there, until the next change.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[start..<end]) }

    // MARK: - At the front

    mutating func removeFirst(_ count: Int) {
        start += count
        if start == end { (start, end) = (0, 0) }
    }

    mutating func removeAll() {
        (start, end) = (0, 0)
    }

    // MARK: - At the back

    /// The free space, all of it behind what is there. Call ``didWrite(_:)`` when it is filled.
    mutating func freeSpace() -> UnsafeMutableRawBufferPointer {
        if start > 0 {
            memory.copyMemory(from: bytes)
            (start, end) = (0, count)
        }
        return UnsafeMutableRawBufferPointer(rebasing: memory[end...])
    }

    mutating func didWrite(_ count: Int) {
        end += count
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        if memory.count - end < bytes.count { grow(by: bytes.count) }
        (memory.baseAddress! + end).copyMemory(from: source, byteCount: bytes.count)
        end += bytes.count
    }

    mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends a number that is not negative, in decimal.
    mutating func append(decimal number: Int) {
        var rest = number
        withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { digits in
            var first = digits.count
            repeat {
                first -= 1
                digits[first] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            } while rest > 0
            append(UnsafeRawBufferPointer(rebasing: digits[first...]))
        }
    }

    private mutating func grow(by count: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(memory.count * 2, self.count + count), alignment: 1)
        larger.copyMemory(from: bytes)
        (start, end) = (0, self.count)
        memory.deallocate()
        memory = larger
    }
}
