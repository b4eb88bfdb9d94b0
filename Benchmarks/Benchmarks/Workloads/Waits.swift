import EventLoop

// What a program gains that waits side by side instead of one after another, and what the threads cost
// with which it could do so, too.

private let threeSleeps = [200, 300, 100]

let sleepsWorkload = Workload(
    name: "sleeps",
    summary: "sleeps of 200, 300 and 100 ms: one after another, on threads, gathered on the loop",
    section: .blockingAndAsync,
    isPinned: false,
    variants: [
        Variant(name: "blocking calls") { _ in try sleepOneAfterAnother(milliseconds: threeSleeps) },
        Variant(name: "a thread each") { _ in try sleepOnThreads(milliseconds: threeSleeps) },
        Variant(name: "EventLoop") { _ in try sleepOnLoop(milliseconds: threeSleeps) },
    ],
    measures: wholeProgramMeasures
)

let waitsWorkload = Workload(
    name: "waits",
    summary: "1,000 waits of 50 ms at once: on 1,000 threads, in 1,000 tasks on the loop",
    section: .blockingAndAsync,
    isPinned: false,
    variants: [
        Variant(name: "a thread each") { try sleepOnThreads(milliseconds: manyWaits($0.scale)) },
        Variant(name: "EventLoop") { try sleepOnLoop(milliseconds: manyWaits($0.scale)) },
    ],
    measures: wholeProgramMeasures
)

private func manyWaits(_ scale: Scale) -> [Int] {
    Array(repeating: 50, count: scale.pick(1000, quick: 100))
}

private func sleepOnLoop(milliseconds: [Int]) throws -> Figures {
    let meter = Meter()
    try EventLoop.run {
        try await gather(milliseconds) { try await sleep(for: .milliseconds($0)) }
    }
    return meter.figures
}
