/// A thread that runs a loop of its own for as long as it lives.
///
///     let worker = try LoopThread(name: "worker")
///     let sum = try await worker.run { try await addUp(numbers) }
///     await worker.end()
///
/// At its end, tasks that were spawned on its loop and have not ended are cancelled and awaited, errors
/// that nobody looked at are reported, and the loop is closed. That begins with ``stop()``, with the loop's
/// own stop(), or when the last reference to the LoopThread goes: no thread is left behind, unless a task
/// never ends.
///
/// It may be used from any thread.
public final class LoopThread: Sendable {
    /// The thread's loop. What it allows from any thread may be called here; the rest on its thread.
    public let loop: EventLoop
    let ended: SharedResult<Void>

    /// Starts the thread. Returns when its loop runs.
    ///
    /// - Parameter name: Of the thread; the kernel keeps its first 15 bytes.
    /// - Throws: ``SystemError`` when there can be no loop or no thread.
    public init(name: String = "loop") throws(SystemError) {
        let loop = try EventLoop()
        let running = SharedResult<Void>()
        let ended = SharedResult<Void>()
        let code = startThread(named: name, whenOver: { ended.set(.success(())) }) {
            loop.callSoonThreadSafe { running.set(.success(())) }
            do {
                try loop.run()
                try loop.close()
            } catch {
                preconditionFailure("The loop of a LoopThread was closed by somebody else: \(error)")
            }
        }
        guard code == 0 else { throw SystemError(call: "pthread_create", code: code) }
        _ = running.wait()
        self.loop = loop
        self.ended = ended
    }

    deinit {
        loop.stop()
    }

    /// Runs an operation as a task on the thread's loop, and waits for what it returns.
    ///
    /// When the awaiting task is cancelled, so is the operation, and the await lasts until it has ended:
    /// nothing of it goes on behind the caller's back. The operation is nonisolated unless it says
    /// otherwise.
    ///
    /// - Parameter name: How the task is called.
    /// - Returns: What the operation returned.
    /// - Throws: What the operation threw; `CancellationError` when it was cancelled before it ran;
    ///   ``EventLoopError/closed`` when the thread has ended.
    public func run<Success: Sendable>(
        name: String? = nil, fileID: String = #fileID, line: UInt = #line,
        _ operation: sending @escaping @isolated(any) () async throws -> Success
    ) async throws -> Success {
        try await loop.spawnThreadSafe(name: name, fileID: fileID, line: line, operation).value
    }

    /// Asks the thread to end, and does not wait for it.
    public func stop() {
        loop.stop()
    }

    /// Whether the thread has ended.
    public var hasEnded: Bool { ended.current != nil }

    /// Blocks the calling thread until this one has ended. It does not make it end: see ``stop()``.
    ///
    /// - Precondition: The calling thread is another.
    public func join() {
        precondition(
            !loop.isOnLoopThread, "join() was called on the LoopThread itself, for whose end it would wait.")
        _ = ended.wait()
    }

    /// Asks the thread to end, and suspends until it has.
    ///
    /// A cancellation does not shorten that, so a task that cleans up can use it.
    ///
    /// - Precondition: The calling task runs on another loop, or on none.
    public func end() async {
        precondition(
            !loop.isOnLoopThread,
            "end() was called on the LoopThread itself, for whose end it would wait: call stop().")
        loop.stop()
        _ = await ended.value(from: nil, for: .thread)
    }
}
