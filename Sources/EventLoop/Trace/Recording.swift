// Beginning to record what a loop does.

extension EventLoop {
    /// Begins a trace of this loop.
    ///
    ///     let trace = EventLoop.current.startTrace()
    ///     …
    ///     trace.stop()
    ///     try trace.writeHTML(to: "trace.html")
    ///
    /// Traps while another thread runs the loop.
    ///
    /// - Parameter name: What the loop is called in the trace.
    /// - Returns: The trace; ``Trace/stop()`` ends it.
    public func startTrace(name: String = "main") -> Trace {
        let trace = Trace()
        record(into: trace, name: name)
        return trace
    }

    /// Records what this loop does from here on, until ``Trace/stop()`` or the loop's own end.
    ///
    /// Tasks that are parked by now are in the trace from here on, too. For a trace from the first task's
    /// very start, call it before the loop runs, or use `EventLoop.run(trace:)`.
    ///
    /// Traps while another thread runs the loop.
    ///
    /// - Parameters:
    ///   - trace: Several loops may record into one.
    ///   - name: What the loop is called there. Nil: "main" for the first, "loop 2" for the second, and so
    ///     on.
    /// - Precondition: The trace is not stopped; this loop does not record into it already; the trace's other
    ///   loops have the same kind of clock, real or not.
    public func record(into trace: Trace, name: String? = nil) {
        engine.assertMayBeUsedHere("record(into:)")
        trace.checkClock(isReal: engine.isReal)
        let recorder = trace.state.withLock { state in
            precondition(!state.isStopped, "The trace was stopped: record into a new one.")
            precondition(
                !state.recorders.contains { $0.records(engine) },
                "This event loop records into the trace already.")
            let number = state.recorders.count + 1
            let recorder = TraceRecorder(
                engine: engine, name: name ?? (number == 1 ? "main" : "loop \(number)"),
                capacity: trace.capacity)
            state.recorders.append(recorder)
            return recorder
        }
        recorder.start(on: engine)
    }
}
