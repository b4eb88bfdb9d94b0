/// Counts how many of its kind are alive.
final class Tracked: Sendable {
    private let alive: Counter

    init(_ alive: Counter) {
        self.alive = alive
        alive.increment()
    }

    deinit { alive.decrement() }
}
