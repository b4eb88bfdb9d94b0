import CFloor

/// The other end of a child's connections, in a process of its own and on the other core.
enum Helper {
    static let flag = "--helper"

    /// Where a helper that serves finds its listening socket.
    static let listeningDescriptor: Int32 = 3

    /// Loads the echo server on this port, and reports what it saw.
    static func startEchoClient(port: Int, connections: Int, conditions: Conditions) throws -> ChildProcess {
        let words = ["echo-client", String(port), String(connections)]
        return try ChildProcess(arguments: [flag] + words + conditions.arguments)
    }

    /// Answers this many requests, each after the delay that it names.
    static func startDelayServer(listening: Int32, requests: Int, conditions: Conditions) throws
        -> ChildProcess
    {
        let words = ["delay-server", String(requests), "0"]
        return try ChildProcess(arguments: [flag] + words + conditions.arguments, passing: listening)
    }

    static func run(_ arguments: ArraySlice<String>) throws {
        floor_end_with_parent()
        let words = Array(arguments)
        guard words.count == 3 + Conditions.argumentCount,
            let first = Int32(words[1]), let second = Int32(words[2]),
            let conditions = Conditions(parsing: words[3...])
        else { throw BenchmarkError("a helper process was started with arguments that it does not know") }
        if let core = conditions.loadCore {
            try check(floor_pin_to_core(core), "pin to core \(core)")
        }
        switch words[0] {
        case "echo-client":
            let figures = try loadEcho(port: UInt16(first), connections: second, scale: conditions.scale)
            print(figures.line)
        case "delay-server":
            try check(floor_serve_delays(listeningDescriptor, first), "serve delays")
            print(Figures().line)
        default: throw BenchmarkError("there is no helper \(words[0])")
        }
    }

    private static func loadEcho(port: UInt16, connections: Int32, scale: Scale) throws -> Figures {
        var load = floor_echo_load()
        load.port = port
        load.connections = connections
        load.message_bytes = 64
        load.warm_up_ns = scale == .full ? 100_000_000 : 20_000_000
        load.duration_ns = scale == .full ? 1_000_000_000 : 100_000_000
        let latency = Histogram()
        var result = floor_echo_result()
        try check(floor_load_echo(&load, latency.pointer, &result), "load the echo server")
        if result.measured_messages == 0 { throw BenchmarkError("the echo server sent nothing back") }
        var figures = latency.figures(named: "latency")
        figures["messages_per_second"] =
            Double(result.measured_messages) * 1e9 / Double(result.measured_ns)
        figures["all_messages"] = Double(result.all_messages)
        return figures
    }
}
