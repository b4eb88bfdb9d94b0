import Testing

@testable import EventLoop

@Suite("Observers of a loop")
struct LoopObserverTests {
    /// Writes down what it is told.
    private final class Diary: LoopObserver {
        var lines: [String] = []

        func runBegan() { lines.append("run began") }
        func runEnded() { lines.append("run ended") }
        func waitBegan(_ token: WaiterToken) { lines.append("wait began") }
        func taskBegan(_ node: TaskNode) { lines.append("\(node.label) began") }
        func taskEnded(_ node: TaskNode) { lines.append("\(node.label) ended") }
    }

    @Test("they hear of a run, its tasks and their waits, one or several of them, until they are taken out")
    func hooks() throws {
        let loop = try EventLoop(clock: .virtual)
        let diaries = [Diary(), Diary(), Diary()]
        for diary in diaries { loop.engine.add(diary) }
        #expect(loop.engine.observer(Diary.self) === diaries[0])
        try loop.runBody { try await sleep(for: .seconds(1)) }
        let lines = ["run began", "main began", "wait began", "main ended", "run ended"]
        for diary in diaries { #expect(diary.lines == lines) }
        loop.engine.remove(diaries[1])
        try loop.runBody {}
        #expect(diaries.map(\.lines.count) == [9, 5, 9])
        for diary in diaries { loop.engine.remove(diary) }
        #expect(loop.engine.observer == nil)
    }

    @Test("an observer is found by its type")
    func noObserver() throws {
        let loop = try EventLoop()
        #expect(loop.engine.observer(Diary.self) == nil)
        loop.engine.add(Diary())
        #expect(loop.engine.observer(Diary.self) != nil)
        #expect(loop.engine.observer(DebugObserver.self) == nil)
    }
}
