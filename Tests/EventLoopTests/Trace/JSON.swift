/// A value of JSON, read strictly: what a test makes of a file that another program is to read.
enum JSON: Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    struct Malformed: Error {
        let position: Int
    }

    init(_ text: String) throws {
        var reader = Reader(bytes: Array(text.utf8))
        self = try reader.value()
        reader.skipSpace()
        guard reader.isAtEnd else { throw Malformed(position: reader.position) }
    }

    subscript(key: String) -> JSON? { if case .object(let members) = self { members[key] } else { nil } }

    var array: [JSON] { if case .array(let elements) = self { elements } else { [] } }

    var string: String? { if case .string(let text) = self { text } else { nil } }

    var number: Double? { if case .number(let number) = self { number } else { nil } }
}

private struct Reader {
    let bytes: [UInt8]
    var position = 0

    var isAtEnd: Bool { position == bytes.count }

    mutating func skipSpace() {
        while position < bytes.count, [9, 10, 13, 32].contains(bytes[position]) { position += 1 }
    }

    private mutating func next() throws -> UInt8 {
        guard position < bytes.count else { throw JSON.Malformed(position: position) }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func expect(_ text: String) throws {
        for byte in text.utf8 where try next() != byte { throw JSON.Malformed(position: position) }
    }

    mutating func value() throws -> JSON {
        skipSpace()
        guard position < bytes.count else { throw JSON.Malformed(position: position) }
        switch bytes[position] {
        case UInt8(ascii: "{"): return .object(try object())
        case UInt8(ascii: "["): return .array(try array())
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): try expect("true"); return .bool(true)
        case UInt8(ascii: "f"): try expect("false"); return .bool(false)
        case UInt8(ascii: "n"): try expect("null"); return .null
        default: return .number(try number())
        }
    }

    private mutating func object() throws -> [String: JSON] {
        var members: [String: JSON] = [:]
        try list(from: "{", to: UInt8(ascii: "}")) { reader in
            reader.skipSpace()
            let key = try reader.string()
            reader.skipSpace()
            try reader.expect(":")
            guard members.updateValue(try reader.value(), forKey: key) == nil else {
                throw JSON.Malformed(position: reader.position)
            }
        }
        return members
    }

    private mutating func array() throws -> [JSON] {
        var elements: [JSON] = []
        try list(from: "[", to: UInt8(ascii: "]")) { elements.append(try $0.value()) }
        return elements
    }

    private mutating func list(
        from first: String, to last: UInt8, _ element: (inout Reader) throws -> Void
    ) throws {
        try expect(first)
        skipSpace()
        if position < bytes.count, bytes[position] == last {
            position += 1
            return
        }
        while true {
            try element(&self)
            skipSpace()
            let byte = try next()
            if byte == last { return }
            guard byte == UInt8(ascii: ",") else { throw JSON.Malformed(position: position) }
        }
    }

    private mutating func string() throws -> String {
        try expect("\"")
        var text: [UInt8] = []
        while true {
            let byte = try next()
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case 0..<32: throw JSON.Malformed(position: position)
            case UInt8(ascii: "\\"): text += try escaped()
            default: text.append(byte)
            }
        }
    }

    private mutating func escaped() throws -> [UInt8] {
        switch try next() {
        case UInt8(ascii: "n"): return [10]
        case UInt8(ascii: "t"): return [9]
        case UInt8(ascii: "u"):
            let digits = String(decoding: try (0..<4).map { _ in try next() }, as: UTF8.self)
            guard let code = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(code) else {
                throw JSON.Malformed(position: position)
            }
            return Array(String(Character(scalar)).utf8)
        case let byte where [UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/")].contains(byte):
            return [byte]
        default: throw JSON.Malformed(position: position)
        }
    }

    private mutating func number() throws -> Double {
        let start = position
        while position < bytes.count, "+-.0123456789eE".utf8.contains(bytes[position]) { position += 1 }
        guard let number = Double(String(decoding: bytes[start..<position], as: UTF8.self)) else {
            throw JSON.Malformed(position: start)
        }
        return number
    }
}
