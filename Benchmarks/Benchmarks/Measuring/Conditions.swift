/// How large the workloads are.
enum Scale: String {
    case full
    /// Each workload small enough that all of them together take some seconds.
    case quick

    func pick<Value>(_ full: Value, quick: Value) -> Value { self == .full ? full : quick }
}

/// What a run is told: its size and its cores.
struct Conditions {
    var scale: Scale
    /// The core for the loop, if threads are to stay on their cores.
    var loopCore: Int32?
    /// The core for whatever loads the loop.
    var loadCore: Int32?

    init(scale: Scale, loopCore: Int32? = nil, loadCore: Int32? = nil) {
        self.scale = scale
        self.loopCore = loopCore
        self.loadCore = loadCore
    }
}

// Over a command line, from the harness to the child and from the child to its helper.
extension Conditions {
    static let argumentCount = 3

    var arguments: [String] { [scale.rawValue, String(loopCore ?? -1), String(loadCore ?? -1)] }

    init?(parsing words: ArraySlice<String>) {
        let words = Array(words)
        guard words.count == Self.argumentCount, let scale = Scale(rawValue: words[0]),
            let loopCore = Int32(words[1]), let loadCore = Int32(words[2])
        else { return nil }
        self.init(
            scale: scale,
            loopCore: loopCore < 0 ? nil : loopCore,
            loadCore: loadCore < 0 ? nil : loadCore
        )
    }
}
