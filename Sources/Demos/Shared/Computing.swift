import Glibc

/// Looks for prime numbers until the calling thread has used `duration` of processor time, which does not
/// pass while the thread waits. Returns how many it has found.
@discardableResult
func findPrimes(for duration: Duration) -> Int {
    let end = processorTime() + duration
    var count = 0
    var candidate = 2
    while candidate % 64 != 0 || processorTime() < end {
        if isPrime(candidate) { count += 1 }
        candidate += 1
    }
    return count
}

private func isPrime(_ number: Int) -> Bool {
    var divisor = 2
    while divisor * divisor <= number {
        if number % divisor == 0 { return false }
        divisor += 1
    }
    return true
}

/// What the calling thread has used so far.
private func processorTime() -> Duration {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
}
