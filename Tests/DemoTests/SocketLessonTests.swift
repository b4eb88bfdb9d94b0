import Testing

@Suite("Lessons: sockets", .timeLimit(.minutes(3)))
struct SocketLessonTests {
    @Test("echo: each client gets its own lines back, in their order")
    func echo() async throws {
        let lines = try await linesOfLesson("echo").compactMap(TimedLine.init).map(\.text)
        for name in ["one", "two", "three"] {
            let own = lines.filter { $0.hasPrefix("\(name) ") }.compactMap { $0.split(separator: ": ").last }
            #expect(own == ["hello from \(name)", "again from \(name)", "goodbye from \(name)"])
        }
        #expect(lines.last == "server  has stopped")
    }
}
