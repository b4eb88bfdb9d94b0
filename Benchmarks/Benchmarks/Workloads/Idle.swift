import CFloor
import EventLoop

let idleWorkload = Workload(
    name: "idle",
    summary: "three sleeps of 0.3 s and nothing else: how often the process wakes, and its CPU time",
    section: .floorAndLoop,
    isPinned: true,
    variants: [
        Variant(name: "floor") { conditions in
            let lateness = Histogram()
            var earlyCount: UInt64 = 0
            let duration = UInt64(milliseconds(conditions)) * 1_000_000
            let meter = Meter()
            try check(floor_sleep_in_sequence(sleepCount, duration, lateness.pointer, &earlyCount), "sleep")
            return meter.figures
        },
        Variant(name: "EventLoop") { try idle(milliseconds: milliseconds($0)) },
    ],
    measures: [
        Measure(figure: "voluntary_switches", label: "context switches", unit: .count),
        .cpuTime,
    ]
)

private let sleepCount: Int32 = 3
private func milliseconds(_ conditions: Conditions) -> Int { conditions.scale.pick(300, quick: 50) }

private func idle(milliseconds: Int) throws -> Figures {
    try EventLoop.run {
        let meter = Meter()
        for _ in 0..<sleepCount { try await sleep(for: .milliseconds(milliseconds)) }
        return meter.figures
    }
}
