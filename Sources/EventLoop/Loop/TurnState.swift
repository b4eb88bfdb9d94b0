/// What the turn loop looks at in each step, and counts in each turn. Behind a pointer, like an engine's
/// tables.
struct TurnState {
    /// The job that runs, by its address, through which executor, and whether it wants to go on at the other.
    var runningJob: UInt = 0
    var isRunningIsolated = false
    var hasHopped = false
    var isObserved = false
    /// Whether an idle loop has more to do than to wait: time may leap, or somebody waits for it to be idle.
    var waitsWithCare = false
    var isSeeded = false
    /// How many more times the current step may find its data there without letting others go first.
    var budget = 0
    var nextTaskID: UInt64 = 1

    var counts = LoopCounts()
}

/// What a loop has done since it was made.
struct LoopCounts {
    var turns: UInt64 = 0
    var events: UInt64 = 0
    var steps: UInt64 = 0
    var timers: UInt64 = 0
    /// The most steps that were ready at the beginning of a turn.
    var mostReady = 0
}
