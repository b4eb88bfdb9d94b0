import EventLoop
import Glibc

/// One rule of process mode: it runs alone in its process, and throws what was wrong.
struct Case: Sendable {
    let name: String
    let body: @MainActor @Sendable () throws -> Void

    init(_ name: String, _ body: @escaping @MainActor @Sendable () throws -> Void) {
        self.name = name
        self.body = body
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
}

/// Throws when it is not so.
func check(
    _ isSo: Bool, _ what: @autoclosure () -> String, file: String = #fileID, line: UInt = #line
) throws {
    if !isSo { throw Failure(description: "\(file):\(line): not so: \(what())") }
}

/// Throws when `body` does not throw `expected`.
func check<Expected: Error & Equatable>(throws expected: Expected, _ body: () throws -> Void) throws {
    do {
        try body()
    } catch let error as Expected where error == expected {
        return
    }
    throw Failure(description: "\(expected) was not thrown")
}

/// Whether this is the thread that runs the current loop.
func isOnLoop() -> Bool {
    EventLoop.currentIfAny?.isOnLoopThread ?? false
}

/// How many descriptors the process has open.
func openDescriptors() -> Int {
    (0..<1024).count { fcntl($0, F_GETFD) >= 0 }
}

struct CaseError: Error, Equatable {}
