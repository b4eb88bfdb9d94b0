import CFloor

/// What this process has used since the meter was started.
struct Meter {
    private let beginNanoseconds = floor_now_ns()
    private let beginCPUNanoseconds = floor_cpu_ns()
    private let beginVoluntarySwitches = floor_voluntary_switches()
    // The runtime's and the program's own pages are no part of a workload, so memory counts from here.
    private let beginBytes = floor_memory().current_bytes

    var figures: Figures {
        // The clocks first: reading the memory takes a while.
        let now = floor_now_ns()
        let cpu = floor_cpu_ns()
        let switches = floor_voluntary_switches()
        let peakBytes = floor_memory().peak_bytes
        var figures = Figures()
        figures["wall_ns"] = Double(now - beginNanoseconds)
        figures["cpu_ns"] = Double(cpu - beginCPUNanoseconds)
        figures["voluntary_switches"] = Double(switches - beginVoluntarySwitches)
        figures["memory_peak_bytes"] = Double(peakBytes)
        figures["memory_grown_bytes"] = Double(peakBytes > beginBytes ? peakBytes - beginBytes : 0)
        return figures
    }
}
