import Glibc

/// A file that is written from its beginning, a buffer at a time: an export may be larger than what one
/// wants in memory.
struct TextFile: ~Copyable {
    private let descriptor: CInt
    private var buffer: [UInt8] = []

    /// - Throws: ``SystemError`` when it cannot be opened for writing. What was in it is gone.
    init(creating path: String) throws(SystemError) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw SystemError("open") }
        buffer.reserveCapacity(1 << 16)
    }

    deinit { Glibc.close(descriptor) }

    mutating func write(_ text: some StringProtocol) throws(SystemError) {
        buffer.append(contentsOf: text.utf8)
        if buffer.count >= 1 << 16 { try flush() }
    }

    mutating func write(_ number: some BinaryInteger) throws(SystemError) {
        try write(String(number))
    }

    /// A string of JSON, in its quotes; fit to stand in a script of a page, too.
    mutating func writeQuoted(_ text: String) throws(SystemError) {
        buffer.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                buffer.append(UInt8(ascii: "\\"))
                buffer.append(byte)
            case 0..<0x20, UInt8(ascii: "<"):
                // A "</script>" would end the page's script.
                let digits = String(byte, radix: 16)
                buffer.append(contentsOf: ("\\u00" + (byte < 16 ? "0" : "") + digits).utf8)
            default: buffer.append(byte)
            }
        }
        buffer.append(UInt8(ascii: "\""))
        if buffer.count >= 1 << 16 { try flush() }
    }

    mutating func flush() throws(SystemError) {
        var written = 0
        while written < buffer.count {
            let count = buffer.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + written, $0.count - written)
            }
            if count < 0 {
                let error = SystemError("write")
                if error.code == EINTR { continue }
                throw error
            }
            written += count
        }
        buffer.removeAll(keepingCapacity: true)
    }
}
