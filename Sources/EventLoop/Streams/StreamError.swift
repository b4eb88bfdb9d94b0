/// What can go wrong on a stream besides a failing system call.
public enum StreamError: Error, Equatable, CustomStringConvertible {
    /// This side has closed it, before the operation or while it waited.
    case closed
    /// The stream ended before what was asked for was complete; `partial` is what came.
    case unexpectedEnd(partial: [UInt8])
    /// What was asked for is longer than the limit. Nothing is lost: the bytes are still to be read.
    case limitExceeded(limit: Int)
    /// No address was found for the host; `reason` is the resolver's (gai_strerror(3)).
    case unknownHost(host: String, reason: String)
    /// The host or port is not one that a socket can have.
    case invalidAddress(String)

    public var description: String {
        switch self {
        case .closed: "The stream is closed."
        case .unexpectedEnd(let partial):
            "The stream ended too early, after \(partial.count) bytes of what was asked for."
        case .limitExceeded(let limit): "What was asked for is longer than the limit of \(limit) bytes."
        case .unknownHost(let host, let reason): "No address for host \"\(host)\": \(reason)"
        case .invalidAddress(let text): "Not a valid address: \(text)"
        }
    }
}
