/// Draws the order in which ready tasks run from a seed, so that a run whose tasks met by bad luck can be had
/// again.
///
/// What may run in a turn stays the same: only the order within it is drawn, and how often a task that finds
/// its data there lets others go first. Calls keep their order among themselves, which `callSoon` promises.
struct SeededOrder {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// SplitMix64: any seed is as good as another.
    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    private mutating func below(_ bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// Takes one of the first `candidates` items of the queue.
    mutating func take(from queue: inout ReadyQueue, candidates: Int) -> ReadyQueue.Item {
        var position = below(candidates)
        if queue.isCall(at: position) { position = queue.firstCall! }
        return queue.remove(at: position)
    }

    /// How many times a step may find its data there: seldom often, so that races are found.
    mutating func budget() -> Int { below(4) }
}
