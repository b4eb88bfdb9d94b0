/// A body with a time limit: the child that runs it, and the alarm that cancels it.
///
/// What the body is given of it is a ``Timeout``. One object for both, because a time limit that is not
/// needed is the common case, and costs little more than what it allocates.
@usableFromInline
final class TimedChild: ChildTask, @unchecked Sendable {
    private(set) var deadline: EventLoop.Instant
    private(set) var isExpired = false
    private var isOver = false
    private var alarm: ScheduledCall?

    @usableFromInline
    init(at deadline: EventLoop.Instant, on loop: EventLoop) {
        self.deadline = deadline
        super.init(engine: loop.engine, function: "withTimeout")
    }

    /// - Parameter duration: At zero or less the body starts cancelled. Nil: no time limit.
    @usableFromInline
    convenience init(after duration: Duration?, on loop: EventLoop) {
        self.init(at: duration.map { loop.engine.reactor.now.advanced(by: $0) } ?? .never, on: loop)
        if let duration, duration <= .zero { expire() }
    }

    /// Runs `body` to its end, which comes early when time is up.
    @inlinable
    func runInTime<Value>(_ body: @escaping () async throws -> Value) async throws -> Value {
        setAlarm()
        let outcome = await run(body)
        turnAlarmOff()
        switch outcome {
        case .success(let value): return value
        case .failure(let error): throw isTimeout(error) ? TimeoutError() : error
        }
    }

    func reschedule(to deadline: EventLoop.Instant) throws {
        precondition(!isOver, "A timeout was rescheduled after its body had ended.")
        guard !isExpired else { throw TimeoutError() }
        alarm?.cancel()
        self.deadline = deadline
        setAlarm()
    }

    @usableFromInline
    func setAlarm() {
        guard !isExpired, deadline != .never else { return }
        if deadline <= engine.reactor.now {
            expire()
        } else {
            // The engine keeps the call, and with it this object, until the body's end at the latest.
            let alarm = ScheduledCall(engine: engine, deadline: deadline, expire)
            self.alarm = alarm
            engine.schedule(alarm)
        }
    }

    @usableFromInline
    func turnAlarmOff() {
        isOver = true
        alarm?.cancel()
    }

    private func expire() {
        isExpired = true
        alarm = nil
        cancel()
    }

    /// Whether the body has ended with `error` because time was up. Otherwise the caller is told the error.
    @usableFromInline
    func isTimeout(_ error: any Error) -> Bool {
        isExpired && error is CancellationError && !Task.isCancelled
    }
}
