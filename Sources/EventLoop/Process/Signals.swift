import Glibc

/// Signals as a sequence of their numbers, instead of handlers that interrupt.
///
///     for try await signal in try Signals([SIGINT, SIGTERM]) { … }
///
/// While it exists, the signals are blocked on the loop's thread and read from a signalfd (signalfd(2)); when
/// it is closed, or its last reference is gone, they act as before. A thread that was started earlier does
/// not block them, so make it before starting threads.
///
/// Bound to its loop's thread; one task at a time iterates.
public final class Signals: AsyncSequence, @unchecked Sendable {
    private let watch: Watch

    /// - Throws: ``SystemError``: EEXIST for a signal that is being listened for already on this loop,
    ///   EINVAL for one that cannot be.
    /// - Precondition: A loop runs on this thread.
    public init(_ numbers: [CInt]) throws {
        watch = Watch(engine: EventLoop.current(for: "Signals()").engine)
        do {
            for number in numbers { try watch.add(number) }
        } catch {
            watch.close()
            throw error
        }
    }

    deinit {
        nonisolated(unsafe) let watch = watch
        watch.engine.performWhereverItRuns { watch.close() }
    }

    /// Ends the iteration and lets the signals act as before.
    public func close() {
        watch.engine.assertMayBeUsedHere("Signals.close()")
        watch.close()
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let signals: Signals

        /// The next signal's number; nil once it is closed.
        ///
        /// - Throws: `CancellationError`; a signal that comes later is for the next call.
        public mutating func next() async throws -> CInt? {
            try await signals.watch.next()
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> CInt? {
            try await next()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(signals: self)
    }

    /// The part that the loop knows; it must not keep the sequence itself alive.
    private final class Watch {
        let engine: Engine
        private var tokens: [CInt: UInt64] = [:]
        private var arrived: [CInt] = []
        private let waiters = WaitQueue(for: .signal)
        private var isClosed = false

        init(engine: Engine) {
            self.engine = engine
        }

        func add(_ number: CInt) throws {
            let token = engine.signalObservers.insert(Arrival(number: number, watch: self))
            do {
                try engine.reactor.addSignal(number, token: token)
            } catch {
                engine.signalObservers.remove(token)
                throw error
            }
            tokens[number] = token
        }

        func signalArrived(_ number: CInt) {
            arrived.append(number)
            engine.wakeFirst(in: waiters)
        }

        func next() async throws -> CInt? {
            engine.assertOnLoop("Signals.next()")
            while arrived.isEmpty {
                if isClosed { return nil }
                if await engine.suspend(in: waiters) == .cancelled { throw CancellationError() }
            }
            return arrived.removeFirst()
        }

        func close() {
            guard !isClosed else { return }
            isClosed = true
            for (number, token) in tokens {
                engine.reactor.removeSignal(number)
                engine.signalObservers.remove(token)
            }
            engine.wakeAll(in: waiters)
        }
    }

    private final class Arrival: SignalObserver {
        private let number: CInt
        private let watch: Watch

        init(number: CInt, watch: Watch) {
            self.number = number
            self.watch = watch
        }

        func signalArrived() { watch.signalArrived(number) }

        func loopIsClosing() { watch.close() }
    }
}
