/// Tasks that wait to give an item or to be given one, first come, first served, each with a place where the
/// item lies: what a task was given cannot be taken by another before it goes on.
///
/// A task enters, parks, and leaves when it goes on; only then is its place free for others. A cancelled
/// task is passed over from the moment of its cancellation, for its token finds nobody.
struct HandOver<Element> {
    private enum State {
        case free
        case waiting
        /// Woken because its item was taken, or one given or promised.
        case served
        /// Not in the list any more, and nothing has become of its item.
        case dismissed
    }

    private struct Place {
        var token: WaiterToken
        var item: Element?
        var state: State
        /// Neighbours in the list of those that wait; of a free place, the next free one.
        var next: Int
        var previous: Int
    }

    private static var none: Int { -1 }
    private static var keptCapacity: Int { 64 }

    private var places: [Place] = []
    private var firstFree = none
    private var first = none
    private var last = none
    /// Places that are not free.
    private var taken = 0

    // MARK: - For the task that waits

    /// Takes a place at the end of the line, which ``leave(_:)`` must give back after the wait.
    mutating func enter(_ token: WaiterToken, with item: Element? = nil) -> Int {
        let place = Place(token: token, item: item, state: .waiting, next: Self.none, previous: last)
        let index: Int
        if firstFree != Self.none {
            index = firstFree
            firstFree = places[index].next
            places[index] = place
        } else {
            index = places.count
            places.append(place)
        }
        if last == Self.none { first = index } else { places[last].next = index }
        last = index
        taken += 1
        return index
    }

    /// Gives the place back: what lies there, and whether the task was served.
    mutating func leave(_ index: Int) -> (item: Element?, wasServed: Bool) {
        if places[index].state == .waiting { unlink(index) }
        let wasServed = places[index].state == .served
        let item = places[index].item.take()
        places[index].state = .free
        places[index].next = firstFree
        firstFree = index
        taken -= 1
        if taken == 0, places.count > Self.keptCapacity {
            places = []
            firstFree = Self.none
        }
        return (item, wasServed)
    }

    // MARK: - For those that serve it

    /// Hands the item to the first task that waits. Returns whether there was one.
    mutating func give(_ item: Element, on engine: Engine) -> Bool {
        guard let index = serveFirst(on: engine) else { return false }
        places[index].item = item
        return true
    }

    /// Takes the item of the first task that waits.
    mutating func take(on engine: Engine) -> Element? {
        guard let index = serveFirst(on: engine) else { return nil }
        return places[index].item.take()
    }

    /// Lets the first task that waits go on, and find what it was promised.
    mutating func promise(on engine: Engine) -> Bool {
        serveFirst(on: engine) != nil
    }

    /// Lets every task that waits go on, unserved.
    mutating func dismissAll(on engine: Engine) {
        while first != Self.none {
            let index = first
            unlink(index)
            engine.wake(places[index].token)
        }
    }

    private mutating func serveFirst(on engine: Engine) -> Int? {
        while first != Self.none {
            let index = first
            unlink(index)
            guard engine.wake(places[index].token) else { continue }
            places[index].state = .served
            return index
        }
        return nil
    }

    private mutating func unlink(_ index: Int) {
        let (next, previous) = (places[index].next, places[index].previous)
        if previous == Self.none { first = next } else { places[previous].next = next }
        if next == Self.none { last = previous } else { places[next].previous = previous }
        places[index].state = .dismissed
    }
}
