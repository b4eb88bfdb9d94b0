import Glibc
import Synchronization

/// What can be wrong about the use of a loop, without being a bug in the program's logic.
public enum EventLoopError: Error, Equatable, CustomStringConvertible {
    /// `run` was called on a thread that is running a loop.
    case alreadyRunning
    /// `EventLoop.run` was called while another thread is in it: a process has one main executor.
    case processModeTaken
    /// The loop was closed: its process-mode run is over.
    case closed

    public var description: String {
        switch self {
        case .alreadyRunning:
            "This thread is already running an event loop: await the work instead of running a loop inside the loop."
        case .processModeTaken:
            "Another thread is in EventLoop.run, which has the whole process: use EventLoop() and its run() for a loop on this thread."
        case .closed:
            "The event loop is closed: what belongs to it can no longer be used."
        }
    }
}

/// A system call that failed: which one, and its errno.
public struct SystemError: Error, Hashable, CustomStringConvertible {
    /// The call's name as its man page has it, such as "connect".
    public let call: String
    /// The error number, such as ECONNREFUSED.
    public let code: CInt

    /// The error of a call, for code that makes system calls itself.
    public init(call: String, code: CInt) {
        self.call = call
        self.code = code
    }

    /// The error of a call that has just returned -1. Read it before anything else may set errno.
    init(_ call: String) {
        self.init(call: call, code: errno)
    }

    public var description: String {
        var buffer = [CChar](repeating: 0, count: 128)
        guard strerror_r(code, &buffer, buffer.count) == 0 else { return "\(call): errno \(code)" }
        let text = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return "\(call): \(text) (errno \(code))"
    }
}

/// An error that nobody was there to catch, as it reaches a loop's error handler.
public struct UnhandledError: Error, CustomStringConvertible {
    /// What it was that failed.
    public enum Cause: Sendable {
        /// A task ended with the error, and nobody asked for its result.
        case taskFailed
        /// A promise was failed with the error, and nobody asked for its future's result.
        case futureFailed
        /// The loop is gone, and the task will never end. The error is ``EventLoopError/closed``.
        case taskLeftBehind
    }

    /// What it was that failed.
    public let cause: Cause
    /// What it failed with.
    public let error: any Error
    /// The name of the task, if it has one.
    public let taskName: String?
    /// The file in which the task was spawned, or the promise was made.
    public let fileID: String
    /// The line at which the task was spawned, or the promise was made.
    public let line: UInt

    init(_ cause: Cause, _ error: any Error, name: String?, fileID: String, line: UInt) {
        self.cause = cause
        self.error = error
        self.taskName = name
        self.fileID = fileID
        self.line = line
    }

    public var description: String {
        let task = "task \(taskName ?? "(unnamed)"), spawned at \(fileID):\(line)"
        return switch cause {
        case .taskFailed: "Nobody looked at the error of \(task): \(error)"
        case .futureFailed: "Nobody looked at the error of the promise made at \(fileID):\(line): \(error)"
        case .taskLeftBehind: "The loop is gone before the end of \(task)"
        }
    }
}

/// Who is told of the errors that nobody was there to catch. Apart from the loop, which is not to live on for
/// them.
final class ErrorHandler: Sendable {
    private let handler = Mutex<@Sendable (UnhandledError) -> Void>({ unhandled in
        let line = Array("EventLoop: \(unhandled)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
    })

    func set(_ handler: @escaping @Sendable (UnhandledError) -> Void) {
        self.handler.withLock { $0 = handler }
    }

    func report(_ unhandled: UnhandledError) {
        handler.withLock { $0 }(unhandled)
    }
}
