import Glibc
import Synchronization

/// What SIGINT does to a run that has the whole process: the first cancels its main task, which cleans up,
/// the second ends the process at once, also while the loop is stuck in a step. asyncio's rule.
///
/// It is a handler, and not the loop's signalfd, because a loop that is stuck reads nothing.
struct Interrupt: ~Copyable {
    /// How many have come, while there is somebody to count them.
    private static let count = Atomic<Int>(0)
    /// Whom the handler wakes. Set before the handler can run, and not changed while it can.
    nonisolated(unsafe) private static var engine: Unmanaged<Engine>?

    private let engine: Engine
    private let isInstalled: Bool
    /// The handler, by its address.
    private var handler: UInt = 0

    private static var currentHandler: UInt {
        var action = sigaction()
        sigaction(SIGINT, nil, &action)
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: UInt.self)
    }

    /// Takes SIGINT, unless the program has a handler of its own or ignores it.
    ///
    /// - Parameter cancel: Called on the loop's thread after the first.
    init(engine: Engine, cancel: @escaping () -> Void) {
        self.engine = engine
        var former = sigaction()
        sigaction(SIGINT, nil, &former)
        isInstalled = former.__sigaction_handler.sa_handler == nil  // SIG_DFL
        guard isInstalled else { return }
        // Also makes sure that the counter exists, which a handler must not be the first to ask for.
        Self.count.store(0, ordering: .relaxed)
        Self.engine = .passUnretained(engine)
        engine.onWake = {
            guard Self.count.load(ordering: .acquiring) > 0 else { return }
            engine.onWake = nil
            cancel()
        }
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in
            // Only what is safe in a handler: atomics, and a write to the loop's eventfd.
            if Self.count.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue == 0 {
                Self.engine?._withUnsafeGuaranteedRef { $0.reactor.wake() }
            } else {
                signal(SIGINT, SIG_DFL)
                raise(SIGINT)
            }
        }
        action.sa_flags = SA_RESTART
        sigaction(SIGINT, &action, nil)
        handler = Self.currentHandler
    }

    /// Gives SIGINT back, unless the program has set a handler of its own meanwhile. Returns whether one has
    /// come.
    consuming func end() -> Bool {
        guard isInstalled else { return false }
        if handler == Self.currentHandler { signal(SIGINT, SIG_DFL) }
        engine.onWake = nil
        Self.engine = nil
        return Self.count.load(ordering: .acquiring) > 0
    }
}
