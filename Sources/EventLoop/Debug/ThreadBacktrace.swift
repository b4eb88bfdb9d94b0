internal import CBacktrace
import Glibc

/// Where another thread is at this moment, in words.
enum ThreadBacktrace {
    /// Lets others look at the calling thread until ``close(_:)`` with what this returns; nil if they cannot.
    static func open() -> Bool? {
        var wasBlocked = false
        return bt_open(&wasBlocked) == 0 ? wasBlocked : nil
    }

    static func close(_ wasBlocked: Bool) {
        bt_close(wasBlocked)
    }

    /// A line for each function that the thread is in, innermost first, and when that was; none, and at no
    /// time, if the thread does not answer.
    static func lines(of thread: pthread_t) -> (lines: [String], time: UInt64?) {
        var addresses = [UInt](repeating: 0, count: 128)
        var time: UInt64 = 0
        let count = bt_capture(thread, &addresses, CInt(addresses.count), &time)
        let lines = addresses.prefix(Int(count)).enumerated().map { index, address in
            // All but the first are where a call returns to, which may be the next function's beginning.
            line(at: index == 0 ? address : address - 1)
        }
        return (lines, count > 0 ? time : nil)
    }

    private static func line(at address: UInt) -> String {
        var place = bt_place()
        guard bt_find(address, &place) else { return "0x\(String(address, radix: 16))" }
        defer { bt_place_free(&place) }
        let file = String(cString: place.file)
        let location =
            "in \(file.split(separator: "/").last ?? "") at 0x\(String(place.file_address, radix: 16))"
        guard let symbol = place.symbol else { return "(a function without a name) \(location)" }
        guard let name = bt_demangle(symbol) else { return "\(String(cString: symbol)) \(location)" }
        defer { free(name) }
        return "\(withoutDiscriminators(String(cString: name))) \(location)"
    }

    /// `(f in _7E…42)(Int)` is how `f(Int)` is called if it is private.
    private static func withoutDiscriminators(_ name: String) -> String {
        name.replacing(/\((\w+) in _[0-9A-F]{32}\)/) { $0.output.1 }
    }
}
