import TestSupport
import Testing

@testable import EventLoop

/// A task that takes `seconds` and then returns them, or throws.
private func job(_ seconds: Int, fails: Bool = false) -> LoopTask<Int> {
    spawn(name: "\(seconds)") {
        try await sleep(for: .seconds(seconds))
        if fails { throw TestError("\(seconds)") }
        return seconds
    }
}

private func names<Success>(_ tasks: [LoopTask<Success>]) -> [String] { tasks.map { $0.name ?? "" } }

@Suite("wait(for:)", .timeLimit(.minutes(5)))
struct WaitTests {
    // MARK: - Conditions

    @Test("all: it lasts as long as the longest, and keeps the order")
    func all() throws {
        try virtually {
            let tasks = [job(3), job(1, fails: true), job(2)]
            let time = try await elapsed {
                let (done, pending) = try await wait(for: tasks)
                #expect(done == tasks && pending.isEmpty)
            }
            #expect(time == .seconds(3))
            for task in tasks { _ = await task.result }
        }
    }

    @Test("the first that has ended, with a value, an error or a cancellation")
    func firstCompleted() throws {
        try virtually {
            let tasks = [job(3), job(1, fails: true), job(2)]
            var (done, pending) = try await wait(for: tasks, until: .firstCompleted)
            #expect(names(done) == ["1"] && names(pending) == ["3", "2"])
            await #expect(throws: TestError("1")) { try await done[0].value }
            pending[0].cancel()
            (done, pending) = try await wait(for: pending, until: .firstCompleted)
            #expect(names(done) == ["3"] && names(pending) == ["2"])
            (done, pending) = try await wait(for: pending, until: .firstCompleted)
            #expect(names(done) == ["2"] && pending.isEmpty)
        }
    }

    @Test("several that end in one turn are all in the result, in the order in which they were given")
    func together() throws {
        try virtually {
            let tasks = [job(2), job(1), job(9), job(1)]
            let (done, pending) = try await wait(for: tasks, until: .firstCompleted)
            #expect(names(done) == ["1", "1"] && names(pending) == ["2", "9"])
            try await wait(for: pending)
        }
    }

    @Test("the first error ends it; cancelled tasks are no errors")
    func firstError() throws {
        try virtually {
            let tasks = [job(5), job(1), job(2), job(3, fails: true)]
            tasks[2].cancel()
            let time = try await elapsed {
                let (done, pending) = try await wait(for: tasks, until: .firstError)
                #expect(names(done) == ["1", "2", "3"] && names(pending) == ["5"])
            }
            #expect(time == .seconds(3))
            _ = await tasks[3].result
            _ = try await tasks[0].value
        }
    }

    @Test("without an error, firstError waits for all; with one from before, for nothing")
    func firstErrorEdges() throws {
        try virtually {
            let tasks = [job(1), job(2)]
            let (done, _) = try await wait(for: tasks, until: .firstError)
            #expect(done == tasks)
            let failed = job(0, fails: true)
            _ = await failed.result
            let running = job(1)
            let turn = EventLoop.current.engine.state.counts.turns
            let (ended, pending) = try await wait(for: [running, failed], until: .firstError)
            #expect(ended == [failed] && pending == [running])
            #expect(EventLoop.current.engine.state.counts.turns == turn)
            _ = try await running.value
        }
    }

    @Test("nothing to wait for: it returns at once")
    func empty() throws {
        try virtually {
            let turn = EventLoop.current.engine.state.counts.turns
            for condition in [WaitCondition.allCompleted, .firstCompleted, .firstError] {
                let (done, pending) = try await wait(for: [LoopTask<Int>](), until: condition)
                #expect(done.isEmpty && pending.isEmpty)
            }
            #expect(EventLoop.current.engine.state.counts.turns == turn)
        }
    }

    @Test("a task that is there twice comes twice")
    func duplicates() throws {
        try virtually {
            let (first, second) = (job(1), job(2))
            let (done, pending) = try await wait(for: [first, second, first], until: .firstCompleted)
            #expect(done == [first, first] && pending == [second])
            let (all, none) = try await wait(for: [second, first, second])
            #expect(all == [second, first, second] && none.isEmpty)
        }
    }

    @Test("tasks of different types, by their handles")
    func handles() throws {
        try virtually {
            let number = job(2)
            let text = spawn {
                try await sleep(for: .seconds(1))
                return "text"
            }
            let (done, pending) = try await wait(for: [number.handle, text.handle], until: .firstCompleted)
            #expect(done == [text.handle] && pending == [number.handle])
            try await wait(for: [number.handle])
        }
    }

    @Test("errors stay with the tasks, and are reported when nobody looks at them")
    func errorsStay() throws {
        let reports = Recorder<UnhandledError>()
        try virtually {
            EventLoop.current.setErrorHandler { reports.add($0) }
            do {
                try await wait(for: [job(1, fails: true)])
            }
        }
        #expect(reports.all.map(\.taskName) == ["1"])
    }

    // MARK: - Time

    @Test("time that is up neither throws nor cancels")
    func timeout() throws {
        try virtually {
            let tasks = [job(3), job(1)]
            let time = try await elapsed {
                let (done, pending) = try await wait(for: tasks, timeout: .seconds(2))
                #expect(done == [tasks[1]] && pending == [tasks[0]])
            }
            #expect(time == .seconds(2))
            #expect(!tasks[0].isCancelled)
            let (done, _) = try await wait(for: tasks, timeout: .seconds(2))
            #expect(done == tasks)
        }
    }

    @Test("a task that ends in the turn in which time is up has ended")
    func timeoutInTheSameTurn() throws {
        try virtually {
            let task = job(1)
            let other = job(9)
            await turns(1)
            let (done, pending) = try await wait(for: [task, other], timeout: .seconds(1))
            #expect(done == [task] && pending == [other])
            other.cancel()
            await turns(2)
        }
    }

    @Test("no time, or less: what is ready runs, and that is all", arguments: [Duration.zero, .seconds(-1)])
    func noTime(timeout: Duration) throws {
        try virtually {
            let (quick, slow) = (spawn { 1 }, job(1))
            let (done, pending) = try await wait(for: [slow, quick], timeout: timeout)
            #expect(done == [quick] && pending == [slow])
            #expect(EventLoop.current.now == EventLoop.Instant(nanoseconds: 0))
            _ = try await slow.value
        }
    }

    // MARK: - Cancellation

    @Test("a waiter that is cancelled leaves the tasks alone")
    func cancelled() throws {
        try virtually {
            let tasks = [job(2), job(3)]
            let waiter = spawn { _ = try await wait(for: tasks, timeout: .seconds(60)) }
            EventLoop.current.callLater(.seconds(1)) { waiter.cancel() }
            await #expect(throws: CancellationError.self) { try await waiter.value }
            #expect(EventLoop.current.now == EventLoop.Instant(nanoseconds: 1_000_000_000))
            #expect(!tasks[0].isCancelled && !tasks[1].isCancelled)
            try await wait(for: tasks)
        }
    }

    @Test("a cancellation in the turn of the last task's end is not swallowed")
    func cancelledInTheSameTurn() throws {
        try virtually {
            let gate = Promise<Void>()
            let future = gate.future
            let task = spawn { try await future.value }
            let waiter = spawn { _ = try await wait(for: [task]) }
            await turns(2)
            gate.succeed()
            waiter.cancel()
            await #expect(throws: CancellationError.self) { try await waiter.value }
            #expect(task.isDone || !task.isCancelled)
            try await task.value
        }
    }

    @Test("a task that lives long and is waited for often collects no callbacks")
    func noCallbacksLeft() throws {
        try virtually {
            let engine = EventLoop.current.engine
            let server = spawn { try await sleep(until: .never) }
            await turns(1)
            let waiters = engine.waiters.count
            for _ in 0..<100_000 {
                try await wait(for: [server], until: .firstCompleted, timeout: .milliseconds(1))
            }
            #expect(engine.waiters.count == waiters)
            for number in 0..<100 {
                let waiter = spawn { _ = try await wait(for: [server]) }
                if number % 2 == 0 { await turns(1) }
                waiter.cancel()
                _ = await waiter.result
            }
            #expect(engine.waiters.count == waiters)
            #expect(engine.reactor.timerCount == 1)
            server.cancel()
            _ = await server.result
        }
    }

    @Test("who waits for what has ended, again and again, lets others go first, and hears of a cancellation")
    func budget() throws {
        try virtually {
            let ended = spawn {}
            try await ended.value
            let waiter = spawn { while true { try await wait(for: [ended]) } }
            await turns(3)
            #expect(!waiter.isDone)
            waiter.cancel()
            await #expect(throws: CancellationError.self) { try await waiter.value }
        }
    }

    // MARK: - Misuse

    @Test("a task that waits for itself traps with a sentence")
    func itself() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try EventLoop().runBody {
                _ = try await wait(for: [EventLoop.currentTask!])
            }
        }
        #expect(result.sentence.contains("A task cannot wait for its own end: await it in another one."))
    }

    @Test("a task of another loop traps with a sentence")
    func foreign() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            let other = try EventLoop()
            let task = other.spawn {}
            try EventLoop().runBody { _ = try await wait(for: [task]) }
        }
        #expect(result.sentence.contains("wait(for:) was given a task of another event loop"))
    }
}
