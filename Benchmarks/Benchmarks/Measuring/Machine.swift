import CFloor
import Glibc

/// Where the figures come from; without it they mean nothing.
struct Machine {
    var processor: String
    var architecture: String
    var kernel: String
    /// That this process may use.
    var cores: Int
    /// Two for the loop and its load, or none.
    var pinnedCores: [Int32]
    var date: String

    static var current: Machine {
        var names = utsname()
        uname(&names)
        var firstCores: [Int32] = [0, 0]
        let cores = Int(floor_allowed_cores(&firstCores, 2))
        let architecture = text(&names.machine)
        return Machine(
            processor: processorName() ?? architecture,
            architecture: architecture,
            kernel: "\(text(&names.sysname)) \(text(&names.release))",
            cores: cores,
            pinnedCores: cores >= 2 ? firstCores : [],
            date: dateNow()
        )
    }

    // A C array of characters is a tuple in Swift.
    private static func text<Characters>(_ characters: inout Characters) -> String {
        withUnsafeBytes(of: &characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    private static func processorName() -> String? {
        guard let file = fopen("/proc/cpuinfo", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 1024)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = line.withUnsafeBytes {
                String(decoding: $0.prefix { $0 != 0 && $0 != 10 }, as: UTF8.self)
            }
            guard text.hasPrefix("model name"), let colon = text.firstIndex(of: ":") else { continue }
            return String(text[colon...].dropFirst().drop { $0 == " " })
        }
        return nil
    }

    private static func dateNow() -> String {
        var seconds = time(nil)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var buffer = [CChar](repeating: 0, count: 32)
        let count = strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        return buffer.withUnsafeBytes { String(decoding: $0.prefix(count), as: UTF8.self) }
    }
}
