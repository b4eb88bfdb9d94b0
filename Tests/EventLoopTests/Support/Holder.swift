/// Lets another thread use and drop what is in it.
final class Holder<Held>: @unchecked Sendable {
    var held: Held?

    init(_ held: Held) {
        self.held = held
    }
}
