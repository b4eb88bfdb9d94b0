// Lesson: a loop asks nobody else what time it is, so its clock can be another one. On virtual time whatever
// sleeps for an hour ends at once, in the right order.
//
// When all tasks wait, a virtual clock leaps to the next deadline. Tests of timeouts and retries take no time
// and give the same result each time; asyncio has no such clock, trio has: MockClock. A manual clock moves
// only when it is told to.
//
// A virtual clock does not wait for other processes, or for servers on other threads: a timeout comes before
// their answer. Use it with what runs on this loop (`toThread` is waited for), or give it patience:
// `.virtual(patience: .milliseconds(50))` waits that long for others before each leap.
//
// Look at both clocks: the machine's on the left, the loop's on the right.

import EventLoop

@MainActor
func virtualTime() throws {
    title("A week of work in a moment")

    section("A virtual clock: it leaps to whatever comes next")
    try EventLoop.run(clock: .virtual) {
        let backups = spawn(name: "backups") {
            for night in 1...7 {
                try await sleep(for: .hours(24))
                tell("backup of night \(night)")
            }
        }
        let meeting = spawn(name: "meeting") {
            try await sleep(for: .hours(60))
            tell("the meeting")
        }
        do {
            try await withTimeout(.hours(36)) { try await answerThatNeverComes() }
        } catch {
            tell("no answer for 36 hours: \(type(of: error))")
        }
        try await meeting.value
        try await backups.value
    }

    section("A manual clock: nothing comes before you say so")
    let loop = try EventLoop(clock: .manual)
    var hasRung = false
    loop.callLater(.hours(1)) { hasRung = true }
    try loop.run(for: .hours(1) - .nanoseconds(1))
    log("a nanosecond before the hour: has it rung? \(hasRung)")
    try loop.run(for: .nanoseconds(1))
    log("on the hour: has it rung? \(hasRung)")
    try loop.close()

    conclude("Programs that wait can be tested as fast as programs that do not.")
}

private func answerThatNeverComes() async throws {
    try await sleep(until: .never)
}

/// Logs with the loop's time.
@MainActor
private func tell(_ text: String) {
    let hours = EventLoop.current.now.nanoseconds / 3_600_000_000_000
    log("\("\(hours)".aligned(right: 3)) h   \(text)")
}

// Swift has no .hours.
extension Duration {
    fileprivate static func hours(_ count: Int) -> Duration { .seconds(3600 * count) }
}
