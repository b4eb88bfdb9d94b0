import Glibc
import TestSupport

/// The Demos executable as a child process, line by line.
///
/// Its methods block, each for a limited time; ``withProgram(_:_:)`` runs them in a thread of their own.
final class Program {
    enum Ending: Equatable {
        case exit(CInt)
        case signal(CInt)
    }

    struct TimedOut: Error {
        let waitingFor: String
    }

    private let process: pid_t
    private let output: LineReader
    private let errors: LineReader
    private var ending: Ending?

    init(_ arguments: [String]) throws {
        let output = try Pipe()
        let errors = try Pipe()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, output.writeEnd, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, errors.writeEnd, STDERR_FILENO)

        // The tests of other signal code must not decide what reaches the child.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var defaults = sigset_t()
        sigemptyset(&defaults)
        for signal in [SIGINT, SIGTERM, SIGPIPE] { sigaddset(&defaults, signal) }
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let path = ChildProcess.executable("Demos")
        var pointers = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var process = pid_t()
        let code = posix_spawn(&process, path, &actions, &attributes, &pointers, environ)
        guard code == 0 else { throw CallFailed("posix_spawn of \(path)", code) }
        self.process = process
        self.output = LineReader(output.takeReadEnd())
        self.errors = LineReader(errors.takeReadEnd())
    }

    deinit {
        if ending == nil {
            kill(process, SIGKILL)
            waitpid(process, nil, 0)
        }
    }

    /// The next line of standard output; nil at its end.
    func readLine() throws -> String? { try output.next() }

    /// All the lines of standard output that are still to come.
    func remainingLines() throws -> [String] { try output.remaining() }

    func errorLines() throws -> [String] { try errors.remaining() }

    func send(_ signal: CInt) {
        kill(process, signal)
    }

    func waitForEnd() throws -> Ending {
        if let ending { return ending }
        var status: CInt = 0
        let deadline = Deadline()
        while waitpid(process, &status, WNOHANG) == 0 {
            guard !deadline.hasPassed else { throw TimedOut(waitingFor: "the program's end") }
            usleep(1000)
        }
        let signal = status & 0x7F
        let ending = signal == 0 ? Ending.exit(status >> 8 & 0xFF) : .signal(signal)
        self.ending = ending
        return ending
    }
}

/// Runs the program and lends it to `body`, which may block.
func withProgram<Success: Sendable>(
    _ arguments: String..., body: @escaping @Sendable (Program) throws -> Success
) async throws -> Success {
    try await withProgram(arguments, body: body)
}

/// Runs the program and lends it to `body`, which may block.
func withProgram<Success: Sendable>(
    _ arguments: [String], body: @escaping @Sendable (Program) throws -> Success
) async throws -> Success {
    try await onThread { try body(try Program(arguments)) }
}

struct CallFailed: Error {
    let call: String
    let code: CInt

    init(_ call: String, _ code: CInt = errno) {
        self.call = call
        self.code = code
    }
}

/// How long the tests wait for what should come at once, on however slow a machine.
struct Deadline {
    static let seconds = 60
    private let end = SuspendingClock.now + .seconds(seconds)

    var hasPassed: Bool { SuspendingClock.now >= end }

    var millisecondsLeft: CInt { CInt(max(0, (end - SuspendingClock.now) / .milliseconds(1))) }
}

private final class Pipe {
    private var readEnd: CInt
    let writeEnd: CInt

    init() throws {
        var ends: [CInt] = [-1, -1]
        // Close-on-exec from the start: a child that another test starts at the same time must not hold an
        // end open. Glibc's module lacks pipe2, so it is a pair of sockets.
        let kind = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw CallFailed("socketpair") }
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    func takeReadEnd() -> CInt {
        defer { readEnd = -1 }
        return readEnd
    }

    deinit {
        if readEnd >= 0 { close(readEnd) }
        close(writeEnd)
    }
}

private final class LineReader {
    private let fileDescriptor: CInt
    private var buffer: [UInt8] = []
    private var hasEnded = false

    init(_ fileDescriptor: CInt) {
        self.fileDescriptor = fileDescriptor
    }

    deinit {
        close(fileDescriptor)
    }

    func next() throws -> String? {
        let deadline = Deadline()
        while true {
            if let newline = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                defer { buffer.removeSubrange(...newline) }
                return String(decoding: buffer[..<newline], as: UTF8.self)
            }
            if hasEnded {
                defer { buffer = [] }
                return buffer.isEmpty ? nil : String(decoding: buffer, as: UTF8.self)
            }
            var interest = pollfd(fd: fileDescriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&interest, 1, deadline.millisecondsLeft) > 0 else {
                throw Program.TimedOut(waitingFor: "a line of output")
            }
            var chunk = [UInt8](repeating: 0, count: 4096)
            let count = read(fileDescriptor, &chunk, chunk.count)
            hasEnded = count <= 0
            buffer += chunk[..<max(0, count)]
        }
    }

    func remaining() throws -> [String] {
        var lines: [String] = []
        while let line = try next() { lines.append(line) }
        return lines
    }
}
