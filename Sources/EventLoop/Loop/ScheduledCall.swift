/// A function that a loop will call: the handle to cancel it by.
///
/// Bound to the loop's thread, like the loop itself; only ``EventLoop/callSoonThreadSafe(fileID:line:_:)``
/// makes one elsewhere.
public final class ScheduledCall: @unchecked Sendable {
    // Not retained, for the engine retains its calls. It tells those that it leaves behind.
    private unowned(unsafe) let engine: Engine
    private var function: (() -> Void)?
    /// When it is due; nil for one that was to run soon.
    public let deadline: EventLoop.Instant?
    /// The file in which it was scheduled.
    public let fileID: String
    /// The line at which it was scheduled.
    public let line: UInt
    var timer: Reactor.Timer?
    var token: WaiterToken?
    // Not public itself: the runtime would check each access for exclusivity.
    private var wasCancelled = false

    init(
        engine: Engine, deadline: EventLoop.Instant? = nil, fileID: String = #fileID, line: UInt = #line,
        _ function: @escaping () -> Void
    ) {
        self.engine = engine
        self.fileID = fileID
        self.line = line
        self.deadline = deadline
        self.function = function
    }

    /// Whether ``cancel()`` came before the call.
    public var isCancelled: Bool { wasCancelled }

    /// Forgets the call and gives its timer and its function's captures back at once. Calling it again,
    /// or after the call, does nothing.
    ///
    /// Traps on another thread while the loop runs.
    public func cancel() {
        guard function != nil else { return }
        engine.assertMayBeUsedHere("cancel()")
        wasCancelled = true
        _ = takeFunction()
        if let timer { engine.reactor.cancelTimer(timer) }
        if let token { _ = engine.waiters.end(token, with: .cancelled) }
        timer = nil
        token = nil
    }

    /// The loop is gone: a later ``cancel()`` has nothing to do, and nobody to do it with.
    func forget() {
        _ = takeFunction()
    }

    func run() {
        timer = nil
        token = nil
        takeFunction()?()
    }

    /// The function, which is released after the call has let go of it: what it captures may cancel the call
    /// in its deinit.
    private func takeFunction() -> (() -> Void)? {
        let taken = function
        function = nil
        return taken
    }
}
