import Glibc

func sleepOneAfterAnother(milliseconds: [Int]) throws -> Figures {
    let meter = Meter()
    for duration in milliseconds { blockingSleep(milliseconds: duration) }
    return meter.figures
}

func sleepOnThreads(milliseconds: [Int]) throws -> Figures {
    let meter = Meter()
    try BlockingThread.forEach(milliseconds) { blockingSleep(milliseconds: $0) }
    return meter.figures
}

private func blockingSleep(milliseconds: Int) {
    // Not sleep(3), which counts seconds; usleep may refuse a second and more.
    var duration = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
    nanosleep(&duration, nil)
}
