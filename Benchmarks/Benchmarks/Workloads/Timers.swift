import CFloor
import EventLoop

let timersWorkload = Workload(
    name: "timers",
    summary: "starting and cancelling a timer while 10,000 others are under way",
    section: .floorAndLoop,
    isPinned: true,
    variants: [
        Variant(name: "floor") { try startAndCancelFloor(count: count($0)) },
        Variant(name: "EventLoop") { try startAndCancel(count: count($0)) },
    ],
    measures: [Measure(figure: "start_and_cancel_ns", label: "start and cancel", unit: .nanoseconds)]
)

let timeoutsWorkload = Workload(
    name: "timeouts",
    summary: "a time limit around an await that ends at once, while 10,000 timers are under way",
    section: .floorAndLoop,
    isPinned: true,
    variants: [
        Variant(name: "floor") { try startAndCancelFloor(count: timeouts($0)) },
        Variant(name: "EventLoop") { try limit(count: timeouts($0)) },
    ],
    measures: [Measure(figure: "start_and_cancel_ns", label: "each time limit", unit: .nanoseconds)]
)

private let liveCount = 10_000
private func count(_ conditions: Conditions) -> Int { conditions.scale.pick(1_000_000, quick: 20_000) }
private func timeouts(_ conditions: Conditions) -> Int { conditions.scale.pick(200_000, quick: 5000) }

private func startAndCancelFloor(count: Int) throws -> Figures {
    var elapsed: UInt64 = 0
    let meter = Meter()
    let result = floor_start_and_cancel_timers(Int32(liveCount), Int32(count), &elapsed)
    try check(result, "start timers")
    return meter.figures.adding("start_and_cancel", nanoseconds: elapsed, over: count)
}

private func startAndCancel(count: Int) throws -> Figures {
    try EventLoop.run {
        let loop = EventLoop.current
        var randomState: UInt64 = 1
        let meter = Meter()
        let live = startLiveTimers(&randomState)
        let begin = floor_now_ns()
        for _ in 0..<count {
            loop.callLater(.nanoseconds(floor_next_delay_ns(&randomState))) {}.cancel()
        }
        let elapsed = floor_now_ns() - begin
        for call in live { call.cancel() }
        return meter.figures.adding("start_and_cancel", nanoseconds: elapsed, over: count)
    }
}

private func limit(count: Int) throws -> Figures {
    try EventLoop.run {
        var randomState: UInt64 = 1
        let meter = Meter()
        let live = startLiveTimers(&randomState)
        let begin = floor_now_ns()
        for _ in 0..<count {
            try await withTimeout(.nanoseconds(floor_next_delay_ns(&randomState))) { await answer() }
        }
        let elapsed = floor_now_ns() - begin
        for call in live { call.cancel() }
        return meter.figures.adding("start_and_cancel", nanoseconds: elapsed, over: count)
    }
}

private func answer() async {}

private func startLiveTimers(_ randomState: inout UInt64) -> [ScheduledCall] {
    (0..<liveCount).map { _ in
        EventLoop.current.callLater(.nanoseconds(floor_next_delay_ns(&randomState))) {}
    }
}
