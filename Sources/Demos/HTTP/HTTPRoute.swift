/// What a path asks for.
enum HTTPRoute {
    case index
    case delay(Duration)
    case bytes(Int)
    /// A known route with a parameter that makes no sense, or too much.
    case invalid
    case unknown

    static let indexPage: StaticString = """
        This server runs on one thread, on an event loop.

        GET /                this page
        GET /delay/SECONDS   an answer after so many seconds, 60 at most, such as /delay/0.25
        GET /bytes/COUNT     so many bytes, 1000000000 at most

        """

    private static let longestDelay = Duration.seconds(60)
    private static let mostBytes = 1_000_000_000

    init(_ path: Slice<UnsafeRawBufferPointer>) {
        if path.count == 1 && path.first == UInt8(ascii: "/") {
            self = .index
        } else if path.starts(with: bytesOf("/delay/")) {
            let delay = Self.seconds(path.dropFirst(7))
            self = delay.flatMap { $0 <= Self.longestDelay ? .delay($0) : nil } ?? .invalid
        } else if path.starts(with: bytesOf("/bytes/")) {
            let count = decimalNumber(path.dropFirst(7))
            self = count.flatMap { $0 <= Self.mostBytes ? .bytes($0) : nil } ?? .invalid
        } else {
            self = .unknown
        }
    }

    /// Reads `2`, `0.25` or `.5`, to the nanosecond.
    private static func seconds(_ text: Slice<UnsafeRawBufferPointer>) -> Duration? {
        let point = text.firstIndex(of: UInt8(ascii: "."))
        let whole = text[..<(point ?? text.endIndex)]
        let fraction = text[(point.map { $0 + 1 } ?? text.endIndex)...].prefix(9)
        guard !(whole.isEmpty && fraction.isEmpty),
            let seconds = whole.isEmpty ? 0 : decimalNumber(whole), seconds <= 1_000_000,
            var nanoseconds = fraction.isEmpty ? 0 : decimalNumber(fraction)
        else { return nil }
        for _ in fraction.count..<9 { nanoseconds *= 10 }
        return .seconds(seconds) + .nanoseconds(nanoseconds)
    }
}
