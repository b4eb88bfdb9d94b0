internal import CEventLoop
import Glibc

/// The C reactor in Swift's words. The only file that knows it.
struct Reactor: ~Copyable {
    typealias Timer = UInt64

    /// What a descriptor is ready for.
    struct Readiness: OptionSet {
        let rawValue: UInt32
        static let read = Readiness(rawValue: Ready.read.rawValue)
        static let write = Readiness(rawValue: Ready.write.rawValue)
        static let priority = Readiness(rawValue: Ready.priority.rawValue)
        static let readHangup = Readiness(rawValue: Ready.readHangup.rawValue)
        static let hangup = Readiness(rawValue: Ready.hangup.rawValue)
        static let error = Readiness(rawValue: Ready.error.rawValue)
    }

    enum Event {
        case descriptor(token: UInt64, Readiness)
        case timer(token: UInt64, nanosecondsLate: UInt32)
        case signal(token: UInt64)
        case child(token: UInt64, status: UInt32)
        case wake
    }

    private static let capacity = 256
    private let loop: OpaquePointer
    private let events: UnsafeMutablePointer<el_event>

    /// - Parameter isManual: The clock starts at 0 and moves by ``advance(to:)`` alone.
    init(isManual: Bool) throws(SystemError) {
        var loop: OpaquePointer?
        let result = el_loop_create(isManual ? .manual : .monotonic, &loop)
        guard let loop else { throw SystemError(call: "el_loop_create", code: -result) }
        self.loop = loop
        events = .allocate(capacity: Self.capacity)
    }

    deinit {
        el_loop_destroy(loop)
        events.deallocate()
    }

    // MARK: - Waiting

    /// Waits until something happens, or not at all. Returns how many events ``event(at:)`` then tells.
    func wait(block: Bool) -> Int {
        let count = el_loop_wait(loop, block ? .max : 0, events, CInt(Self.capacity))
        // What can fail here is memory for a timerfd's state, or somebody closed the loop's descriptors.
        precondition(
            count >= 0, "The loop cannot wait: \(SystemError(call: "epoll_wait", code: -count)).")
        return Int(count)
    }

    /// Waits until something happens, or until `duration` has passed by the real clock, whichever clock the
    /// loop lives by. Returns how many events ``event(at:)`` then tells.
    func wait(atMost duration: Duration) -> Int {
        let end = EventLoop.Instant.realNow.advanced(by: duration)
        var request = pollfd(fd: el_loop_fd(loop), events: Int16(POLLIN), revents: 0)
        precondition(
            request.fd >= 0,
            "The loop cannot wait: \(SystemError(call: "epoll_create1", code: -request.fd)).")
        var isOver = el_loop_arm(loop) != 0
        while !isOver {
            let left = EventLoop.Instant.realNow.duration(to: end).nanosecondsRoundedUp
            let milliseconds = CInt(clamping: left / 1_000_000 + 1)
            // A signal handler ends the call, and not the wait.
            isOver = left <= 0 || poll(&request, 1, milliseconds) >= 0
        }
        return wait(block: false)
    }

    func event(at index: Int) -> Event {
        let event = events[index]
        switch event.kind {
        case .descriptor: return .descriptor(token: event.token, Readiness(rawValue: event.ready))
        case .timer: return .timer(token: event.token, nanosecondsLate: event.ready)
        case .signal: return .signal(token: event.token)
        case .child: return .child(token: event.token, status: event.ready)
        case .wake: return .wake
        @unknown default: preconditionFailure("The reactor reports an event of a kind unknown here.")
        }
    }

    /// From any thread.
    func wake() {
        _ = el_loop_wake(loop)
    }

    // MARK: - Time

    /// The time now, not the turn's: deadlines count from the very moment.
    var now: EventLoop.Instant { EventLoop.Instant(nanoseconds: el_loop_update_now(loop)) }

    /// Moves a manual clock forward. A moment that has passed changes nothing.
    func advance(to instant: EventLoop.Instant) {
        let now = now
        if instant > now { _ = el_clock_advance(loop, instant.nanoseconds - now.nanoseconds) }
    }

    /// When the next timer is due; never, without one.
    var earliestDeadline: EventLoop.Instant { EventLoop.Instant(nanoseconds: el_timer_earliest(loop)) }

    func startTimer(at deadline: EventLoop.Instant, token: UInt64) -> Timer {
        let timer = el_timer_start(loop, deadline.nanoseconds, token)
        precondition(timer != 0, "Out of memory for a timer.")
        return timer
    }

    func cancelTimer(_ timer: Timer) {
        _ = el_timer_cancel(loop, timer)
    }

    var timerCount: Int { Int(el_timer_count(loop)) }

    // MARK: - Descriptors and signals

    /// Watches both directions and urgent data, edge-triggered: one system call for the descriptor's life.
    func watch(_ descriptor: CInt, token: UInt64) throws(SystemError) {
        let result = el_fd_add(loop, descriptor, [.read, .write, .priority], .edge, token)
        if result < 0 { throw SystemError(call: "epoll_ctl", code: -result) }
    }

    /// Accepts a connection, non-blocking and close-on-exec. Returns its descriptor or a negated errno.
    static func accept(_ listener: CInt) -> Int { Int(el_fd_accept(listener)) }

    func unwatch(_ descriptor: CInt) {
        _ = el_fd_remove(loop, descriptor)
    }

    func addSignal(_ number: CInt, token: UInt64) throws(SystemError) {
        let result = el_signal_add(loop, number, token)
        if result < 0 { throw SystemError(call: "signalfd", code: -result) }
    }

    func removeSignal(_ number: CInt) {
        _ = el_signal_remove(loop, number)
    }
}
