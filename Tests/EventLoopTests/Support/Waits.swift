import Glibc
import TestSupport

@testable import EventLoop

/// Lets the loop turn until the condition holds, which another thread brings about.
func turnsUntil(_ condition: () -> Bool) async {
    while !condition() { await yield() }
}

/// Blocks the thread until the condition holds, which another thread brings about.
func block(until condition: () -> Bool) {
    while !condition() { sched_yield() }
}

/// How many threads of the process have a name that begins so.
func threadCount(named prefix: String) -> Int { threads(named: prefix).count }

/// Their numbers.
func threads(named prefix: String) -> [String] {
    names(in: "/proc/self/task")!.filter { threadName("/proc/self/task/\($0)/comm").hasPrefix(prefix) }
}

/// The name of a thread, of the calling one unless another's file is given.
func threadName(_ path: String = "/proc/thread-self/comm") -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var buffer = [UInt8](repeating: 0, count: 64)
    let count = fread(&buffer, 1, buffer.count, file)
    return String(decoding: buffer.prefix(max(0, count - 1)), as: UTF8.self)
}

/// Tells when it is gone.
final class Canary: Sendable {
    private let whenGone: @Sendable () -> Void

    init(_ whenGone: @escaping @Sendable () -> Void) {
        self.whenGone = whenGone
    }

    deinit { whenGone() }
}

/// Whether the tests run under a sanitizer that counts leaks.
let leaksAreErrors = dlsym(nil, "__asan_init") != nil
