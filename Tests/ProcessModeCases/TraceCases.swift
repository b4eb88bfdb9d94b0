import EventLoop

let traceCases = [
    Case("a trace has the main task from its first step, plain tasks, and the run's end") {
        let trace = Trace()
        try EventLoop.run(clock: .virtual, trace: trace) {
            let plain = Task(name: "plain") { try await Task.sleep(for: .seconds(1)) }
            async let child: Void = sleep(for: .seconds(2))
            try await plain.value
            try await child
            spawn(name: "left") { try await sleep(for: .seconds(60)) }
            await yield()
        }
        let tasks = trace.tasks
        try check(tasks.map(\.name).prefix(2) == ["main", "plain"], "\(tasks.map(\.name))")
        try check(tasks.count == 4, "\(tasks.map(\.name)): the child of async let has a row")
        try check(tasks[0].ended == EventLoop.Instant(nanoseconds: 2_000_000_000), "\(tasks[0])")
        try check(tasks[1].parentID == tasks[0].id, "main started it")
        let waits = tasks[1].spans.filter { $0.state == .waiting(for: "a timer") }
        try check(waits.map(\.duration) == [.seconds(1)], "\(tasks[1].spans)")
        let left = tasks.first { $0.name == "left" }
        try check(left?.ended != nil, "what the end of the run cancels has ended in the trace")
        try check(trace.loops.map(\.name) == ["main"], "one loop")
        try check(trace.loops[0].posts.isEmpty, "the loop's own thread posts nothing")
    },
    Case("a trace takes in one run after another, and blocking code between them") {
        let trace = Trace()
        try EventLoop.run(trace: trace) { await yield() }
        trace.record("between") {}
        try EventLoop.run(trace: trace) { await yield() }
        try check(trace.loops.map(\.name) == ["main", "loop 2"], "\(trace.loops.map(\.name))")
        let (first, second) = (trace.tasks[0], trace.tasks[1])
        try check(first.ended! <= trace.lanes[0].spans[0].start, "the first run is before")
        try check(trace.lanes[0].spans[0].end <= second.spawned, "the second run is after")
    },
    Case("children of gather on the main actor have rows, and wait for their first turn") {
        let trace = Trace()
        try EventLoop.run(clock: .virtual, trace: trace) {
            try await gather([1, 2]) { (seconds: Int) in try await sleep(for: .seconds(seconds)) }
        }
        try check(
            trace.tasks.map(\.name) == ["main", "gather[0]", "gather[1]"], "\(trace.tasks.map(\.name))")
        for (task, seconds) in zip(trace.tasks.dropFirst(), [1, 2]) {
            let waits = task.spans.filter { $0.state == .waiting(for: "a timer") }
            try check(waits.map(\.duration) == [.seconds(seconds)], "\(task.spans)")
        }
    },
]
