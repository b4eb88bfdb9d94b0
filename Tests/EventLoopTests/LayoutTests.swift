import Glibc
import TestSupport
import Testing

/// The house's rules that the compiler cannot see, because one module has no rooms for it.
@Suite("Layout")
struct LayoutTests {
    // MARK: - C

    @Test("only the reactor knows the C library")
    func onlyTheReactorImportsC() throws {
        for file in try SourceFile.all(under: "Sources/EventLoop", suffix: ".swift") {
            let imports = file.lines.contains { $0.contains("import CEventLoop") }
            #expect(imports == (file.path == "Sources/EventLoop/Loop/Reactor.swift"), "\(file.path)")
        }
    }

    @Test("the C rooms do not know each other: only the loop knows them all")
    func roomsApart() throws {
        let rooms = ["poller", "timers", "clock", "wake", "signals", "children"]
        let files = try SourceFile.all(under: "Sources/CEventLoop", suffix: "")
        #expect(rooms.allSatisfy { room in files.contains { $0.path.hasSuffix("/\(room).c") } })
        for file in files where !file.name.hasPrefix("loop.") {
            for room in rooms where room != file.stem {
                #expect(
                    !file.lines.contains { $0.contains("#include \"\(room).h\"") }, "\(file.path): \(room)")
            }
            #expect(!file.lines.contains { $0.contains("#include \"loop.h\"") }, "\(file.path)")
        }
    }

    // MARK: - Swift folders

    /// Which folders a folder may know, besides itself.
    private static let mayKnow: [String: Set<String>] = [
        "Loop": [],
        "Waiting": ["Loop"],
        "Tasks": ["Loop", "Waiting"],
        "Streams": ["Loop", "Waiting"],
        "Process": ["Loop", "Waiting"],
        "Sync": ["Loop", "Waiting"],
        "Threads": ["Loop", "Waiting", "Tasks", "Sync"],
        "Debug": ["Loop", "Waiting", "Tasks"],
        "Testing": ["Loop", "Waiting", "Tasks", "Debug"],
        "Trace": ["Loop", "Waiting", "Tasks"],
    ]

    /// What a file names beyond that, and why.
    private static let exceptions: [String: Set<String>] = [
        // A run starts its body as a task, and the loop holds what it knows of the tasks that it owns, and
        // whether it is being debugged, which may be asked and set at any time.
        "Sources/EventLoop/Loop/EventLoop.swift": ["TaskRecord", "TaskOutcome", "DebugMode"],
        "Sources/EventLoop/Loop/ProcessMode.swift": ["TaskOutcome", "Trace"],
        "Sources/EventLoop/Loop/Engine.swift": ["TaskRecord"],
        // The reactor's own Event, a nested type.
        "Sources/EventLoop/Loop/Reactor.swift": ["Event"],
        "Sources/EventLoop/Loop/Turn.swift": ["Event"],
    ]

    @Test("a folder names only types of the folders below it")
    func direction() throws {
        let files = try SourceFile.all(under: "Sources/EventLoop", suffix: ".swift")
        var folderOfType: [String: String] = [:]
        for file in files {
            for type in file.topLevelTypes { folderOfType[type] = String(file.folder) }
        }
        #expect(folderOfType["Engine"] == "Loop" && folderOfType["Promise"] == "Tasks")
        for file in files {
            let allowed = try #require(
                Self.mayKnow[String(file.folder)], "A new folder needs its direction: \(file.path)")
            for word in file.words {
                guard let folder = folderOfType[word], folder != String(file.folder),
                    !allowed.contains(folder)
                else {
                    continue
                }
                #expect(
                    Self.exceptions[file.path]?.contains(word) == true,
                    "\(file.path) names \(folder)'s \(word)")
            }
        }
    }

    @Test("each exception is still needed")
    func exceptionsAreNeeded() throws {
        for (path, types) in Self.exceptions {
            let file = try #require(
                try SourceFile.all(under: "Sources/EventLoop", suffix: ".swift").first { $0.path == path })
            for type in types { #expect(file.words.contains(type), "\(path) does not name \(type) any more") }
        }
    }

    // MARK: - Size

    /// What is longer, and why.
    private static let longFiles = [
        // The whole contract in one place, each part with its rules and an example.
        "Sources/CEventLoop/include/CEventLoop.h": 600
    ]

    @Test(
        "a file is one idea: it is not longer than that takes",
        arguments: [
            ("Sources/EventLoop", ".swift", 300), ("Sources/CEventLoop", ".c", 400),
            ("Sources/CEventLoop", ".h", 400), ("Sources/Demos", ".swift", 100),
        ])
    func length(folder: String, suffix: String, limit: Int) throws {
        for file in try SourceFile.all(under: folder, suffix: suffix) {
            // What the demos share, in a folder of its own, is no demo.
            let limit = file.path.hasPrefix("Sources/Demos/") && file.folder != file.name ? 300 : limit
            #expect(file.lines.count <= Self.longFiles[file.path] ?? limit, "\(file.path)")
        }
    }

    @Test("no line of source is longer than 110 columns, but for a sentence that must not be broken")
    func lineLength() throws {
        for file in try SourceFile.all(under: "Sources", suffix: "")
            + SourceFile.all(under: "Tests", suffix: ".swift")
        {
            for (index, line) in file.lines.enumerated() where line.count > 110 {
                // A row of a table in Markdown is one line.
                if file.path.hasSuffix(".md") && line.hasPrefix("|") { continue }
                let text = line.drop { $0 == " " }
                let isString = text.first == "\"" || text.contains("\"") && !text.hasPrefix("//")
                #expect(isString, "\(file.path):\(index + 1) has \(line.count) columns")
            }
        }
    }
}

/// One file of this package.
private struct SourceFile {
    /// From the package's folder on.
    let path: String
    let lines: [Substring]

    var name: Substring { path.split(separator: "/").last! }
    var stem: Substring { name.split(separator: ".").first! }
    /// The folder in the module: Sources/EventLoop/<folder>/…
    var folder: Substring { path.split(separator: "/")[2] }

    private static let root: String = {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/")
    }()

    static func all(under folder: String, suffix: String) throws -> [SourceFile] {
        var files: [SourceFile] = []
        guard let names = names(in: "\(root)/\(folder)") else { throw LayoutError(path: folder) }
        for name in names where !name.hasPrefix(".") {
            let path = "\(folder)/\(name)"
            if TestSupport.names(in: "\(root)/\(path)") != nil {
                files += try all(under: path, suffix: suffix)
            } else if name.hasSuffix(suffix) {
                files.append(SourceFile(path: path, lines: try read(path)))
            }
        }
        return files.sorted { $0.path < $1.path }
    }

    private static func read(_ path: String) throws -> [Substring] {
        guard let file = fopen("\(root)/\(path)", "r") else { throw LayoutError(path: path) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        var lines = String(decoding: bytes, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    /// The types that the file declares at its top level.
    var topLevelTypes: [String] {
        lines.compactMap { line in
            let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
            guard line.first?.isLetter == true,
                let keyword = words.firstIndex(where: {
                    ["class", "struct", "enum", "protocol", "actor"].contains($0)
                }),
                keyword + 1 < words.count, !words.contains("func")
            else { return nil }
            return String(words[keyword + 1])
        }
    }

    /// Every word of the file's code, comments and the insides of strings left out.
    var words: Set<String> {
        var words: Set<String> = []
        for line in lines {
            var code = ""
            var isInString = false
            for (index, character) in zip(line.indices, line) {
                if !isInString && line[index...].hasPrefix("//") { break }
                if character == "\"" { isInString.toggle() }
                code.append(isInString ? " " : character)
            }
            for word in code.split(whereSeparator: { !$0.isLetter && !$0.isNumber && $0 != "_" }) {
                words.insert(String(word))
            }
        }
        return words
    }
}

private struct LayoutError: Error {
    let path: String
}
