import Glibc

/// A program that was run to its end, or to its time limit.
public struct ChildProcess: Sendable {
    public enum Ending: Equatable, Sendable {
        case exit(CInt)
        case signal(CInt)
        case timedOut
    }

    public let ending: Ending
    /// Standard output and standard error together, as they came.
    public let output: String

    /// Runs a program and suspends until it has ended. One that takes longer than `seconds` is killed.
    ///
    /// - Parameter environment: What to add to this process's environment.
    public static func run(
        _ path: String, _ arguments: [String] = [], environment: [String: String] = [:],
        atMost seconds: Int = 120
    ) async throws -> ChildProcess {
        try await onThread { try runBlocking(path, arguments, environment, seconds) }
    }

    /// The path of an executable of this package: it is built beside the tests.
    ///
    /// - Parameter image: An address in the test bundle.
    public static func executable(_ name: String, beside image: UnsafeRawPointer = #dsohandle) -> String {
        guard let bundle = file(mappedAt: UInt(bitPattern: image)) else { return name }
        return bundle.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/\(name)"
    }

    /// The file whose image has the address, as proc(5) tells.
    private static func file(mappedAt address: UInt) -> String? {
        guard let maps = fopen("/proc/self/maps", "r") else { return nil }
        defer { fclose(maps) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, maps) > 0 {
            let text = String(cString: line!)
            let range = text.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard range.count == 2, range[0] <= address, address < range[1] else { continue }
            return text.firstIndex(of: "/").map { String(text[$0...].dropLast()) }
        }
        return nil
    }

    private static func runBlocking(
        _ path: String, _ arguments: [String], _ additions: [String: String], _ seconds: Int
    ) throws -> ChildProcess {
        // A file takes any amount of output, and no other child can hold its end open.
        guard let file = tmpfile() else { throw SpawnError(call: "tmpfile", code: errno) }
        defer { fclose(file) }
        _ = fcntl(fileno(file), F_SETFD, FD_CLOEXEC)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, fileno(file), STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, fileno(file), STDERR_FILENO)
        // The threads of the tests block signals, which a child would inherit.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var noSignals = sigset_t()
        sigemptyset(&noSignals)
        posix_spawnattr_setsigmask(&attributes, &noSignals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        var process = pid_t()
        let environment = inheritedEnvironment(adding: additions)
        let spawned = withCStrings([path] + arguments) { arguments in
            withCStrings(environment) { posix_spawn(&process, path, &actions, &attributes, arguments, $0) }
        }
        guard spawned == 0 else { throw SpawnError(call: "posix_spawn of \(path)", code: spawned) }

        let deadline = milliseconds() + seconds * 1000
        var status: CInt = 0
        while waitpid(process, &status, WNOHANG) == 0 {
            guard milliseconds() < deadline else {
                kill(process, SIGKILL)
                waitpid(process, &status, 0)
                return ChildProcess(ending: .timedOut, output: contents(of: fileno(file)))
            }
            usleep(1000)
        }
        let signal = status & 0x7f
        return ChildProcess(
            ending: signal == 0 ? .exit(status >> 8 & 0xff) : .signal(signal),
            output: contents(of: fileno(file)))
    }

    private static func contents(of file: CInt) -> String {
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = pread(file, &buffer, buffer.count, output.count), count > 0 {
            output += buffer[..<count]
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func milliseconds() -> Int {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return now.tv_sec * 1000 + now.tv_nsec / 1_000_000
    }

    private static func inheritedEnvironment(adding additions: [String: String]) -> [String] {
        // A crash that is expected needs no backtrace, which takes seconds.
        let added = additions.merging(["SWIFT_BACKTRACE": "enable=no"]) { given, _ in given }
        var result = added.map { "\($0)=\($1)" }
        var entry = environ
        while let text = entry.pointee {
            let line = String(cString: text)
            if added[String(line.prefix { $0 != "=" })] == nil { result.append(line) }
            entry += 1
        }
        return result
    }

    private static func withCStrings<Result>(
        _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers = strings.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
    }
}

/// A program could not be started.
public struct SpawnError: Error {
    public let call: String
    public let code: CInt
}
