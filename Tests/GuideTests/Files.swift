// The files of this package that the guide is made of, as lines.

import Glibc
import TestSupport

/// A text file of this package.
struct TextFile {
    /// From the package's folder on.
    let path: String
    let lines: [Substring]

    var name: Substring { path.split(separator: "/").last! }

    private static let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

    init(_ path: String) throws {
        guard let file = fopen("\(Self.root)/\(path)", "r") else { throw MissingFile(path: path) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        self.path = path
        lines = String(decoding: bytes, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
    }

    /// The files of a folder whose names end so, in the order of their names.
    static func all(in folder: String, suffix: String) throws -> [TextFile] {
        guard let names = names(in: "\(root)/\(folder)") else { throw MissingFile(path: folder) }
        return try names.filter { $0.hasSuffix(suffix) }.sorted().map { try TextFile("\(folder)/\($0)") }
    }
}

struct MissingFile: Error {
    let path: String
}
