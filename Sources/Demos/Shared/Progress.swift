import EventLoop
import Glibc
import Synchronization

/// Shows on a terminal, on a thread of its own, that time passes while a lesson has nothing to print.
///
/// A thread, because some lessons block theirs; and because it shows that a loop needs nothing but a thread.
final class Progress: Sendable {
    private struct State {
        var start: SuspendingClock.Instant
        var factor: Int
        var isShown = false
    }

    private let thread: LoopThread
    private let state = Mutex(State(start: .now, factor: 1))

    /// Nil where nobody would see it.
    init?() {
        guard isatty(STDOUT_FILENO) == 1, let thread = try? LoopThread(name: "progress") else { return nil }
        self.thread = thread
        thread.loop.spawnThreadSafe(name: "progress") { [weak self] in
            while true {
                try await sleep(for: .milliseconds(100))
                guard let self else { return }
                self.show()
            }
        }
    }

    /// Counts from now on.
    func restart(factor: Int) {
        state.withLock { $0 = State(start: .now, factor: factor, isShown: $0.isShown) }
    }

    /// Takes the line away: something is about to be printed.
    func clear() {
        state.withLock { state in
            if state.isShown { put("\r\u{1B}[K") }
            state.isShown = false
        }
    }

    private func show() {
        state.withLock { state in
            state.isShown = true
            let time = (SuspendingClock.now - state.start) * state.factor
            put("\r  " + Console.styled(time.inSeconds.aligned(right: 8) + "   …", .dim))
        }
    }

    func stop() {
        thread.stop()
        thread.join()
        clear()
    }

    private func put(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(STDOUT_FILENO, bytes, bytes.count)
    }
}
