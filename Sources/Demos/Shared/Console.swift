// To Swift, C's stdout is a global variable that anybody might change.
@preconcurrency import Glibc

/// What the demos print: aligned lines, coloured on a terminal only.
enum Console {
    enum Style: String {
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case cyan = "36"
    }

    /// NO_COLOR is the convention of no-color.org: set and not empty means never.
    private static let hasColors: Bool = {
        let isSet = { (name: String) in getenv(name).map { $0.pointee != 0 } ?? false }
        let isDumb = getenv("TERM").map { String(cString: $0) == "dumb" } ?? true
        return isatty(STDOUT_FILENO) == 1 && !isSet("NO_COLOR") && !isDumb
    }()

    /// Lets lines out as they are printed, also into a pipe or a file.
    static func flushLines() {
        setvbuf(stdout, nil, _IOLBF, 0)
    }

    static func styled(_ text: String, _ style: Style) -> String {
        hasColors ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// To standard error, at once.
    @MainActor
    static func complain(_ text: String) {
        Stage.progress?.clear()
        let line = Array("Demos: \(text)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }
}

extension String {
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: Swift.max(0, width - count))
    }

    func aligned(right width: Int) -> String {
        String(repeating: " ", count: Swift.max(0, width - count)) + self
    }
}
