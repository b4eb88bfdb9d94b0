import Glibc

/// Stops the whole thread for `duration`: what a program does that knows no event loop.
func blockThread(for duration: Duration) {
    let (seconds, attoseconds) = duration.components
    var left = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    // The kernel leaves the rest of the time there when a signal interrupts.
    while withUnsafeMutablePointer(to: &left, { nanosleep($0, $0) }) != 0 && errno == EINTR {}
}
