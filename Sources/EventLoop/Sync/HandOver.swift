/// Tasks that wait to give an item or to be given one, first come, first served, each with a place where the
/// item lies: what a task was given cannot be taken by another before it goes on.
///
/// A task enters, parks, and leaves when it goes on; only then is its place free for others. A cancelled
/// task is passed over from the moment of its cancellation, for its token finds nobody.
final class HandOver<Element>: WaitingLine {
    /// By the number of the place.
    private(set) var items: [Element?] = []

    // MARK: - For the task that waits

    /// Takes a place at the end of the line, which ``leave(_:)`` must give back after the wait.
    func enter(_ token: WaiterToken, with item: Element? = nil) -> Int {
        let place = takePlace(token)
        if place == items.count { items.append(item) } else { items[place] = item }
        return place
    }

    /// Gives the place back: what lies there, and whether the task was served.
    func leave(_ place: Int) -> (item: Element?, wasServed: Bool) {
        let item = items[place].take()
        let wasServed = freePlace(place)
        if placeCount == 0 { items = [] }
        return (item, wasServed)
    }

    // MARK: - For those that serve it

    /// Hands the item to the first task that waits. Returns whether there was one.
    func give(_ item: Element, on engine: Engine) -> Bool {
        guard let place = serveFirst(on: engine) else { return false }
        items[place] = item
        return true
    }

    /// Takes the item of the first task that waits.
    func take(on engine: Engine) -> Element? {
        guard let place = serveFirst(on: engine) else { return nil }
        return items[place].take()
    }
}

/// The line of a ``HandOver`` without the items. Apart, because generic code costs a look-up of the item's
/// metadata at each step.
class WaitingLine {
    private enum State {
        case free
        case waiting
        /// Woken because its item was taken, or one given or promised.
        case served
        /// Not in the line any more, and nothing has become of its item.
        case dismissed
    }

    private struct Place {
        var token: WaiterToken
        var state: State
        /// Neighbours in the line; of a free place, the next free one.
        var next: Int
        var previous: Int
    }

    private static let none = -1
    private static let keptPlaces = 64

    private var places: [Place] = []
    private var firstFree = none
    private var first = none
    private var last = none
    /// Places that are not free.
    private var taken = 0

    /// How many places there are, free ones included.
    final var placeCount: Int { places.count }

    /// Whether nobody waits. Cancelled tasks may make it false until they have left.
    final var isEmpty: Bool { first == Self.none }

    fileprivate final func takePlace(_ token: WaiterToken) -> Int {
        let place = Place(token: token, state: .waiting, next: Self.none, previous: last)
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

    /// Returns whether the task was served.
    fileprivate final func freePlace(_ index: Int) -> Bool {
        if places[index].state == .waiting { unlink(index) }
        let wasServed = places[index].state == .served
        places[index].state = .free
        places[index].next = firstFree
        firstFree = index
        taken -= 1
        if taken == 0, places.count > Self.keptPlaces {
            places = []
            firstFree = Self.none
        }
        return wasServed
    }

    /// Lets the first task that waits go on: its place is where to find its item, or to leave it one.
    final func serveFirst(on engine: Engine) -> Int? {
        while first != Self.none {
            let index = first
            unlink(index)
            guard engine.wake(places[index].token) else { continue }
            places[index].state = .served
            return index
        }
        return nil
    }

    /// Lets every task that waits go on, unserved.
    final func dismissAll(on engine: Engine) {
        while first != Self.none {
            let index = first
            unlink(index)
            engine.wake(places[index].token)
        }
    }

    private final func unlink(_ index: Int) {
        let (next, previous) = (places[index].next, places[index].previous)
        if previous == Self.none { first = next } else { places[previous].next = next }
        if next == Self.none { last = previous } else { places[next].previous = previous }
        places[index].state = .dismissed
    }
}
