/// What a path asks for.
enum HTTPRoute {
    case index
    case delay(Duration)
    case bytes(Int, after: Duration)
    /// A known route with a parameter that makes no sense, or too much.
    case invalid
    case unknown

    static let indexPage: StaticString = """
        This server runs on one thread, on an event loop.

        GET /                      this page
        GET /delay/SECONDS         an answer after so many seconds, 60 at most, such as /delay/0.25
        GET /bytes/COUNT           so many bytes, 1000000000 at most
        GET /bytes/COUNT/SECONDS   so many bytes after so many seconds

        """

    private static let longestDelay = Duration.seconds(60)
    private static let mostBytes = 1_000_000_000

    init(_ path: Slice<UnsafeRawBufferPointer>) {
        if path.count == 1 && path.first == UInt8(ascii: "/") {
            self = .index
        } else if path.starts(with: bytesOf("/delay/")) {
            self = Self.seconds(path.dropFirst(7)).map { .delay($0) } ?? .invalid
        } else if path.starts(with: bytesOf("/bytes/")) {
            let rest = path.dropFirst(7)
            let slash = rest.firstIndex(of: UInt8(ascii: "/"))
            let delay = slash.map { Self.seconds(rest[($0 + 1)...]) } ?? .zero
            guard let count = decimalNumber(rest[..<(slash ?? rest.endIndex)]), let delay,
                count <= Self.mostBytes
            else {
                self = .invalid
                return
            }
            self = .bytes(count, after: delay)
        } else {
            self = .unknown
        }
    }

    /// Reads `2`, `0.25` or `.5`, to the nanosecond. Nil: none, or too many.
    private static func seconds(_ text: Slice<UnsafeRawBufferPointer>) -> Duration? {
        let point = text.firstIndex(of: UInt8(ascii: "."))
        let whole = text[..<(point ?? text.endIndex)]
        let fraction = text[(point.map { $0 + 1 } ?? text.endIndex)...].prefix(9)
        guard !(whole.isEmpty && fraction.isEmpty),
            let seconds = whole.isEmpty ? 0 : decimalNumber(whole), seconds <= 60,
            var nanoseconds = fraction.isEmpty ? 0 : decimalNumber(fraction)
        else { return nil }
        for _ in fraction.count..<9 { nanoseconds *= 10 }
        let duration = Duration.seconds(seconds) + .nanoseconds(nanoseconds)
        return duration <= longestDelay ? duration : nil
    }
}
