import CFloor
import EventLoop
import Glibc

let postBurstWorkload = Workload(
    name: "post-burst",
    summary: "100,000 callbacks posted to the loop from another thread: time each",
    section: .floorAndLoop,
    isPinned: true,
    variants: [
        Variant(name: "floor") { conditions in
            let count = burstCount(conditions)
            let meter = Meter()
            let rounds = try (0..<roundCount).map { _ in
                var elapsed: UInt64 = 0
                try check(floor_post_burst(Int32(count), conditions.loadCore ?? -1, &elapsed), "post")
                return elapsed
            }
            return meter.figures.adding("post", roundsNanoseconds: rounds, over: count)
        },
        Variant(name: "EventLoop") { try postBurst(count: burstCount($0), posterCore: $0.loadCore) },
    ],
    measures: [Measure(figure: "post_ns", label: "each post", unit: .nanoseconds), .memory]
)

let postRoundTripWorkload = Workload(
    name: "post-round-trip",
    summary: "another thread posts, and waits for the answer before it posts again",
    section: .floorAndLoop,
    isPinned: true,
    variants: [
        Variant(name: "floor") { conditions in
            let roundTrip = Histogram()
            let meter = Meter()
            let core = conditions.loadCore ?? -1
            let count = Int32(roundTripCount(conditions))
            try check(floor_post_round_trips(count, core, roundTrip.pointer), "post")
            return meter.figures.merging(roundTrip.figures(named: "round_trip"))
        },
        Variant(name: "EventLoop") { try postRoundTrips(count: roundTripCount($0), posterCore: $0.loadCore) },
    ],
    measures: [
        Measure(figure: "round_trip_p50_ns", label: "round trip p50", unit: .nanoseconds),
        Measure(figure: "round_trip_p99_ns", label: "round trip p99", unit: .nanoseconds),
    ]
)

private let roundCount = 5
private func burstCount(_ conditions: Conditions) -> Int { conditions.scale.pick(100_000, quick: 5000) }
private func roundTripCount(_ conditions: Conditions) -> Int { conditions.scale.pick(10_000, quick: 500) }

/// Counts the posts that have run, and resumes whoever waits for the last one. Only the loop's thread
/// touches it after its start.
private final class Countdown: @unchecked Sendable {
    private var remaining: Int
    private var waiter: CheckedContinuation<Void, Never>?
    /// Written before the first post, which publishes it.
    var beginNanoseconds: UInt64 = 0

    init(_ count: Int) { remaining = count }

    func countDown() {
        remaining -= 1
        if remaining == 0 { waiter?.resume() }
    }

    /// The poster is started only when the continuation stands.
    func wait(_ start: () -> BlockingThread) async {
        var poster: BlockingThread?
        await withCheckedContinuation { continuation in
            waiter = continuation
            poster = start()
        }
        poster?.join()
    }
}

private func postBurst(count: Int, posterCore: Int32?) throws -> Figures {
    try EventLoop.run {
        let loop = EventLoop.current
        let meter = Meter()
        var rounds: [UInt64] = []
        for _ in 0..<roundCount {
            let countdown = Countdown(count)
            await countdown.wait {
                startPoster(on: posterCore) {
                    countdown.beginNanoseconds = floor_now_ns()
                    for _ in 0..<count { loop.callSoonThreadSafe { countdown.countDown() } }
                }
            }
            rounds.append(floor_now_ns() - countdown.beginNanoseconds)
        }
        return meter.figures.adding("post", roundsNanoseconds: rounds, over: count)
    }
}

private func postRoundTrips(count: Int, posterCore: Int32?) throws -> Figures {
    let answer = try check(floor_answer_open(), "make an eventfd")
    defer { close(answer) }
    return try EventLoop.run {
        let loop = EventLoop.current
        let countdown = Countdown(count)
        let roundTrip = Histogram()
        let meter = Meter()
        await countdown.wait {
            startPoster(on: posterCore) {
                for _ in 0..<count {
                    let begin = floor_now_ns()
                    loop.callSoonThreadSafe {
                        floor_answer_ring(answer)
                        countdown.countDown()
                    }
                    floor_answer_wait(answer)
                    roundTrip.record(floor_now_ns() - begin)
                }
            }
        }
        return meter.figures.merging(roundTrip.figures(named: "round_trip"))
    }
}

private func startPoster(on core: Int32?, _ body: @escaping @Sendable () -> Void) -> BlockingThread {
    do {
        return try BlockingThread {
            if let core { floor_pin_to_core(core) }
            body()
        }
    } catch {
        exitWith(error)
    }
}
