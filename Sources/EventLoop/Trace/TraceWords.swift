// How a trace says what the loop knows in bits.

extension TraceEvent.Call {
    var name: String {
        switch self {
        case .plain: "call"
        case .posted: "call from another thread"
        case .sleepEnd: "end of a Task.sleep"
        case .runtime: "job of the runtime"
        }
    }
}

extension TracedStep {
    /// The name, and for a call where it comes from.
    var label: String {
        if let fileID, let line { "\(name), scheduled at \(fileID):\(line)" } else { name }
    }
}

extension Reactor.Readiness: CustomStringConvertible {
    var description: String {
        let names: [(Reactor.Readiness, String)] = [
            (.read, "read"), (.write, "write"), (.priority, "urgent data"), (.readHangup, "read hang-up"),
            (.hangup, "hang-up"), (.error, "error"),
        ]
        return names.filter { contains($0.0) }.map(\.1).joined(separator: ", ")
    }
}
