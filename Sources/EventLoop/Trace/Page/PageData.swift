// A trace as data for its page.
//
// Numbers stand in flat lists, four for a span (start, length, kind, word), because a page with a hundred
// thousand spans has to be read at once. Times are nanoseconds from the trace's start; words are places in
// a list of strings, or -1.

extension Trace {
    /// Writes the trace as one page that any browser shows: rows of spans to zoom into, without a network and
    /// without anything from elsewhere.
    ///
    /// It blocks the thread until the file is written.
    ///
    /// - Parameters:
    ///   - title: What the page calls it. Nil: the program's name.
    /// - Throws: ``SystemError`` when the file cannot be written.
    public func writeHTML(to path: String, title: String? = nil) throws {
        var writer = try PageWriter(path, TraceSheet(self))
        try writer.write(title: title ?? programName)
        try writer.finish()
    }
}

/// What a span on the page is; the page's script has the same list.
private enum Kind: Int {
    case running, ready, waiting, idle, turn, work, call
}

private struct PageWriter: ~Copyable {
    private var file: TextFile
    private var words: [String: Int] = [:]
    private var wordList: [String] = []
    private let sheet: TraceSheet

    init(_ path: String, _ sheet: TraceSheet) throws {
        file = try TextFile(creating: path)
        self.sheet = sheet
    }

    mutating func write(title: String) throws {
        try file.write("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>")
        try file.write(title.map { ["<": "&lt;", "&": "&amp;"][$0] ?? String($0) }.joined())
        try file.write("</title>\n<style>\n\(Page.style)</style>\n</head>\n\(Page.markup)")
        try file.write("<script type=\"application/json\" id=\"data\">\n{\"title\":")
        try file.writeQuoted(title)
        try file.write(",\"length\":\(sheet.end - sheet.start),\"dropped\":")
        try file.write(sheet.loops.reduce(0) { $0 + $1.droppedEvents })
        try file.write(",\n\"rows\":[")
        for (index, row) in sheet.rows.enumerated() {
            try file.write(index == 0 ? "\n" : ",\n")
            try write(row)
        }
        try file.write("\n],\n\"posts\":[")
        try writePosts()
        try file.write("],\n\"words\":[")
        for (index, word) in wordList.enumerated() {
            if index > 0 { try file.write(",") }
            try file.writeQuoted(word)
        }
        try file.write("]}\n</script>\n<script>\n\"use strict\";\n")
        for script in Page.scripts { try file.write(script) }
        try file.write("</script>\n</body>\n</html>\n")
    }

    mutating func finish() throws { try file.flush() }

    private mutating func write(_ row: TraceSheet.Row) throws {
        switch row {
        case .lane(let lane):
            try begin("lane", lane.name)
            try list("spans", lane.spans) { writer, span in
                try writer.span(.work, span.start, span.end, span.name)
            }
        case .thread(let name):
            try begin("thread", name)
        case .loop(let number):
            try write(sheet.loops[number])
        case .task(let task, let depth):
            try begin("task", task.name)
            try file.write(",\"depth\":\(depth),\"parent\":")
            try file.write(task.parentID.flatMap { sheet.rowOfTask[$0] } ?? -1)
            if let fileID = task.fileID, let line = task.line {
                try file.write(",\"at\":")
                try file.writeQuoted("\(fileID):\(line)")
            }
            try file.write(",\"spawned\":\(sheet.offset(task.spawned))")
            if let ended = task.ended { try file.write(",\"ended\":\(sheet.offset(ended))") }
            try list("spans", task.spans) { writer, span in
                let kind: Kind
                var word = span.wokenBy
                switch span.state {
                case .running: kind = .running
                case .ready: kind = .ready
                case .waiting(let reason): (kind, word) = (.waiting, reason)
                }
                try writer.span(kind, span.start, span.end, word)
            }
        }
        try file.write("}")
    }

    private mutating func write(_ loop: TracedLoop) throws {
        try begin("loop", loop.name)
        try list("spans", loop.turns) { writer, turn in
            try writer.span(.turn, turn.start, turn.end, "\(turn.ready) ready, \(turn.events) events")
        }
        try list("idle", loop.idle) { writer, idle in try writer.span(.idle, idle.start, idle.end, nil) }
        try list("steps", loop.steps) { writer, step in
            try writer.span(step.taskID == nil ? .call : .running, step.start, step.end, step.label)
        }
        let timers = loop.timers.map { timer in
            let late = timer.lateness.nanosecondsRoundedUp
            return (timer.time, late == 0 ? "a timer" : "a timer, \(Double(late / 100) / 10) µs late")
        }
        let descriptors = loop.descriptorEvents.map {
            ($0.time, "descriptor \($0.descriptor) ready to \($0.readiness)")
        }
        try list("marks", (timers + descriptors).sorted { $0.0 < $1.0 }) { writer, mark in
            try writer.file.write("\(writer.sheet.offset(mark.0)),\(writer.word(mark.1))")
        }
    }

    private mutating func writePosts() throws {
        var isFirst = true
        for (number, loop) in sheet.loops.enumerated() {
            for post in loop.posts {
                let source = sheet.rowOfThread[post.thread]!
                let target = post.taskID.flatMap { sheet.rowOfTask[$0] } ?? sheet.rowOfLoop[number]
                let time = sheet.offset(post.began ?? post.taken)
                try file.write(isFirst ? "" : ",")
                isFirst = false
                try file.write("[\(source),\(sheet.offset(post.posted)),\(target),\(time)]")
            }
        }
    }

    // MARK: - Parts

    private mutating func begin(_ kind: String, _ name: String) throws {
        try file.write("{\"kind\":\"\(kind)\",\"name\":")
        try file.writeQuoted(name)
    }

    private mutating func list<Element>(
        _ name: String, _ elements: [Element], _ write: (inout PageWriter, Element) throws -> Void
    ) throws {
        try file.write(",\"\(name)\":[")
        for (index, element) in elements.enumerated() {
            if index > 0 { try file.write(",") }
            try write(&self, element)
        }
        try file.write("]")
    }

    private mutating func span(
        _ kind: Kind, _ from: EventLoop.Instant, _ to: EventLoop.Instant, _ text: String?
    ) throws {
        let place = text.map { word($0) } ?? -1
        let length = to.nanoseconds - from.nanoseconds
        try file.write("\(sheet.offset(from)),\(length),\(kind.rawValue),\(place)")
    }

    private mutating func word(_ text: String) -> Int {
        if let place = words[text] { return place }
        words[text] = wordList.count
        wordList.append(text)
        return wordList.count - 1
    }
}
