import CFloor
import Glibc

/// This program again in a new process, whose figures are read from its standard output.
///
/// It ends with the process that started it, and is killed when it takes too long: a run that hangs is a
/// failed run, not a hanging program.
final class ChildProcess {
    private let identifier: pid_t
    private let output: Int32
    private var isReaped = false
    private var timeLimitSeconds = 0

    /// `passing`: a descriptor that the new process finds as `Helper.listeningDescriptor`.
    init(arguments: [String], passing descriptor: Int32? = nil) throws {
        var ends: [Int32] = [-1, -1]
        try check(pipe(&ends) == 0 ? 0 : -errno, "make a pipe")
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[1]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // In this order: the pipe may have the number that the passed descriptor takes.
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        if let descriptor {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Helper.listeningDescriptor)
        }
        let words: [UnsafeMutablePointer<CChar>?] = (["Benchmarks"] + arguments).map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        var identifier: pid_t = 0
        let result = posix_spawn(&identifier, "/proc/self/exe", &actions, nil, words, environ)
        if result != 0 {
            close(ends[0])
            throw BenchmarkError("cannot start a process: \(errorText(result))")
        }
        self.identifier = identifier
        self.output = ends[0]
    }

    deinit {
        close(output)
        if !isReaped {
            kill(identifier, SIGKILL)
            waitpid(identifier, nil, 0)
        }
    }

    /// Blocks until the process has ended.
    func figures(within seconds: Int) throws -> Figures {
        timeLimitSeconds = seconds
        let deadline = floor_now_ns() + UInt64(seconds) * 1_000_000_000
        let text = try readToEnd(until: deadline)
        let status = try wait(until: deadline)
        let lastLine = text.split(separator: "\n").last ?? ""
        if lastLine.hasPrefix(errorMark) { throw BenchmarkError(String(lastLine.dropFirst(errorMark.count))) }
        // The two halves of a wait status: the low seven bits are the signal, if any.
        if status & 0x7f != 0 {
            throw BenchmarkError(
                "killed by signal \(status & 0x7f) (\(String(cString: strsignal(status & 0x7f))))")
        }
        if status >> 8 & 0xff != 0 { throw BenchmarkError("ended with status \(status >> 8 & 0xff)") }
        guard let figures = Figures(parsing: lastLine) else {
            throw BenchmarkError("ended without figures")
        }
        return figures
    }

    private func readToEnd(until deadline: UInt64) throws -> String {
        var bytes: [UInt8] = []
        while true {
            try waitForOutput(until: deadline)
            let chunk = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
                count = max(0, read(output, buffer.baseAddress, buffer.count))
            }
            if chunk.isEmpty { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk
        }
    }

    private func waitForOutput(until deadline: UInt64) throws {
        var request = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
        while true {
            let now = floor_now_ns()
            if now >= deadline { throw timeout() }
            let ready = poll(&request, 1, Int32((deadline - now) / 1_000_000 + 1))
            if ready > 0 { return }
            if ready < 0 && errno != EINTR { throw BenchmarkError("cannot poll: \(errorText(errno))") }
        }
    }

    // The end of its output is nearly its end, so the polling rarely takes a second look.
    private func wait(until deadline: UInt64) throws -> Int32 {
        var status: Int32 = 0
        while true {
            let ended = waitpid(identifier, &status, WNOHANG)
            if ended == identifier {
                isReaped = true
                return status
            }
            if ended < 0 && errno != EINTR {
                isReaped = true
                throw BenchmarkError("cannot wait for a process: \(errorText(errno))")
            }
            if floor_now_ns() >= deadline { throw timeout() }
            usleep(500)
        }
    }

    private func timeout() -> BenchmarkError {
        kill(identifier, SIGKILL)
        waitpid(identifier, nil, 0)
        isReaped = true
        return BenchmarkError("killed, for it took more than \(timeLimitSeconds) s")
    }
}
