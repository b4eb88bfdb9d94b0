import Glibc

/// Why a run has no figures: one sentence, which reaches the table.
struct BenchmarkError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// The text that a child's last line begins with when it has no figures.
let errorMark = "error "

/// Throws when a function of the floor returned a negative errno.
@discardableResult
func check(_ result: Int32, _ action: @autoclosure () -> String) throws -> Int32 {
    if result < 0 { throw BenchmarkError("cannot \(action()): \(errorText(-result))") }
    return result
}

func errorText(_ code: Int32) -> String { String(cString: strerror(code)) }

func exitWith(_ error: any Error) -> Never {
    let line = String(describing: error).map { $0.isNewline ? " " : $0 }
    print(errorMark + String(line))
    exit(1)
}

func printToStandardError(_ text: String) {
    let line = text + "\n"
    write(STDERR_FILENO, line, line.utf8.count)
}
