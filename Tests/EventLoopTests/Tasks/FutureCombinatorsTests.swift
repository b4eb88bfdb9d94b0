import TestSupport
import Testing

@testable import EventLoop

@Suite("Futures made of others", .timeLimit(.minutes(5)))
struct FutureCombinatorsTests {
    // MARK: - Of one

    @Test("map, flatMap and recover of a value and of an error")
    func chain() throws {
        try virtually {
            let (good, bad) = (Promise<Int>(), Promise<Int>())
            func describe(_ future: Future<Int>) -> Future<String> {
                future.map { $0 + 1 }
                    .flatMap { number in Future.succeeded("\(number)") }
                    .recover { "\(($0 as? TestError)?.name ?? "?")" }
            }
            let (first, second) = (describe(good.future), describe(bad.future))
            good.succeed(1)
            bad.fail(TestError("bad"))
            let texts = [try await first.value, try await second.value]
            #expect(texts == ["2", "bad"])
        }
    }

    @Test("what a closure throws is the error")
    func throwing() throws {
        try virtually {
            let future = Future.succeeded(1)
            let mapped = future.map { (_: Int) throws -> Int in throw TestError("map") }
            await #expect(throws: TestError("map")) { try await mapped.value }
            let flatMapped = future.flatMap { (_: Int) throws -> Future<Int> in throw TestError("flatMap") }
            await #expect(throws: TestError("flatMap")) { try await flatMapped.value }
            let recovered = mapped.recover { _ in throw TestError("recover") }
            await #expect(throws: TestError("recover")) { try await recovered.value }
        }
    }

    @Test("flatMap waits for the inner future")
    func inner() throws {
        try virtually {
            let (outer, inner) = (Promise<Int>(), Promise<Int>())
            let future = outer.future.flatMap { number in inner.future.map { $0 + number } }
            outer.succeed(1)
            await turns(3)
            #expect(!future.isDone)
            inner.succeed(10)
            let value = try await future.value
            #expect(value == 11)
        }
    }

    @Test("closures run in the turn after, also when the future is done already")
    func laterTurn() throws {
        try virtually {
            var isMapped = false
            let future = Future.succeeded(1).map { _ in isMapped = true }
            #expect(!isMapped)
            await turns(1)
            #expect(isMapped && future.isDone)
        }
    }

    @Test(
        "a chain of a hundred thousand neither recurses on its way nor at its end", arguments: [true, false])
    func longChain(isSet: Bool) throws {
        try virtually {
            let promise = Promise<Int>()
            var future = promise.future
            for _ in 0..<100_000 { future = future.map { $0 + 1 } }
            if isSet { promise.succeed(0) } else { promise.future.cancel() }
            let result = await Result { try await future.value }
            #expect((try? result.get()) == (isSet ? 100_000 : nil))
        }
    }

    // MARK: - Of several

    @Test("and: both values, in whatever order they come")
    func both() throws {
        try virtually {
            for isFirstFirst in [true, false] {
                let (number, text) = (Promise<Int>(), Promise<String>())
                let future = number.future.and(text.future)
                if isFirstFirst { number.succeed(1) } else { text.succeed("one") }
                await turns(2)
                #expect(!future.isDone)
                if isFirstFirst { text.succeed("one") } else { number.succeed(1) }
                let value = try await future.value
                #expect(value == (1, "one"))
            }
        }
    }

    @Test("whenAll: all values in order; of none, at once")
    func all() throws {
        try virtually {
            let promises = (0..<3).map { _ in Promise<Int>() }
            let future = Future.whenAll(promises.map(\.future))
            for index in [2, 0, 1] { promises[index].succeed(index) }
            let values = try await future.value
            #expect(values == [0, 1, 2])
            #expect(Future<Int>.whenAll([]).isDone)
            #expect(Future<Int>.whenAllResults([]).isDone)
            let twice = try await Future.whenAll([promises[1].future, promises[1].future]).value
            #expect(twice == [1, 1])
        }
    }

    @Test("whenAll: the first error, at once; the errors that come later count as looked at")
    func allFails() throws {
        let reports = Recorder<UnhandledError>()
        try virtually {
            EventLoop.current.setErrorHandler { reports.add($0) }
            do {
                let promises = (0..<3).map { _ in Promise<Int>() }
                let future = Future.whenAll(promises.map(\.future))
                promises[1].fail(TestError("first"))
                await #expect(throws: TestError("first")) { try await future.value }
                promises[0].fail(TestError("later"))
                promises[2].succeed(2)
            }
            await turns(2)
        }
        #expect(reports.count == 0)
    }

    @Test("whenAllResults never fails")
    func allResults() throws {
        try virtually {
            let promises = (0..<3).map { _ in Promise<Int>() }
            let future = Future.whenAllResults(promises.map(\.future))
            promises[2].succeed(2)
            promises[0].fail(TestError("first"))
            await turns(2)
            #expect(!future.isDone)
            promises[1].future.cancel()
            let results = try await future.value
            #expect(results.map { try? $0.get() } == [nil, nil, 2])
            #expect(throws: CancellationError.self) { try results[1].get() }
        }
    }

    @Test("whenAny: the first, with a value or an error")
    func any() throws {
        try virtually {
            let promises = (0..<3).map { _ in Promise<Int>() }
            let future = Future.whenAny(promises.map(\.future))
            promises[1].succeed(1)
            promises[0].fail(TestError("later"))
            promises[2].succeed(2)
            let value = try await future.value
            #expect(value == 1)
            let failing = Future.whenAny([promises[0].future, promises[1].future])
            await #expect(throws: TestError("later")) { try await failing.value }
        }
    }

    @Test("what is raced often against a future that lives long collects no callbacks")
    func noCallbacksLeft() throws {
        try virtually {
            let engine = EventLoop.current.engine
            let closing = Promise<Int>()
            let waiters = engine.waiters.count
            for number in 0..<10_000 {
                let other = Promise<Int>()
                let any = Future.whenAny([closing.future, other.future])
                let all = Future.whenAll([closing.future, other.future])
                let both = closing.future.and(other.future)
                let derived = closing.future.map { $0 + 1 }
                other.succeed(number)
                all.cancel()
                both.cancel()
                derived.cancel()
                let value = try await any.value
                #expect(value == number)
            }
            #expect(engine.waiters.count == waiters)
            #expect(!closing.future.isDone)
            closing.succeed(0)
        }
    }

    // MARK: - Cancellation

    @Test("a future that is cancelled cancels those made of it, past recover")
    func cancellationPassedOn() throws {
        try virtually {
            let promise = Promise<Int>()
            let source = promise.future
            let derived: [Future<Int>] = [
                source.map { $0 }, source.recover { _ in 1 }, source.flatMap { _ in source },
                Future.whenAny([source]), source.and(source).map { $0.0 },
                Future.whenAll([source]).map { $0[0] }, Future.succeeded(1).flatMap { _ in source },
            ]
            await turns(2)
            source.cancel()
            await turns(4)
            for future in derived { #expect(future.isDone && future.isCancelled) }
        }
    }

    @Test("to cancel one that was made of others leaves them alone, and calls no closure any more")
    func cancellationNotPassedBack() throws {
        try virtually {
            let promise = Promise<Int>()
            let derived = promise.future.map { _ in Issue.record("called after the cancellation") }
            let inner = Promise<Int>()
            let waiting = Future.succeeded(1).flatMap { _ in inner.future }
            await turns(2)
            derived.cancel()
            waiting.cancel()
            #expect(!promise.future.isDone && !inner.future.isDone)
            promise.succeed(1)
            inner.succeed(2)
            await turns(3)
            #expect(derived.isCancelled && waiting.isCancelled)
            let value = try await promise.future.value
            #expect(value == 1)
        }
    }

    @Test("a cancellation in the turn in which the source is done comes before the closure")
    func sameTurn() throws {
        try virtually {
            let promise = Promise<Int>()
            let derived = promise.future.map { _ in Issue.record("called after the cancellation") }
            promise.succeed(1)
            derived.cancel()
            await turns(2)
            #expect(derived.isCancelled)
        }
    }

    // MARK: - Errors that nobody looks at

    @Test("an error is reported once, at the last future that it was passed on to")
    func reportedOnce() throws {
        let reports = Recorder<UnhandledError>()
        try virtually {
            EventLoop.current.setErrorHandler { reports.add($0) }
            do {
                let promise = Promise<Int>()
                _ = promise.future.map { $0 + 1 }.flatMap { Future.succeeded($0) }.map { "\($0)" }
                promise.fail(TestError("lost"))
            }
            await turns(4)
        }
        #expect(reports.all.map { ($0.error as? TestError)?.name } == ["lost"])
        #expect(reports.all.map(\.fileID) == ["EventLoopTests/FutureCombinatorsTests.swift"])
    }

    @Test("to cancel one that was made of another leaves the other's error to be reported")
    func cancelledDerivedDoesNotHideErrors() throws {
        let reports = Recorder<UnhandledError>()
        try virtually {
            EventLoop.current.setErrorHandler { reports.add($0) }
            do {
                let promise = Promise<Int>()
                promise.future.map { $0 + 1 }.cancel()
                promise.fail(TestError("lost"))
            }
            await turns(2)
        }
        #expect(reports.count == 1)
    }

    @Test("to cancel one that was made of several leaves their errors to be reported")
    func cancelledWholeDoesNotHideErrors() throws {
        let reports = Recorder<UnhandledError>()
        try virtually {
            EventLoop.current.setErrorHandler { reports.add($0) }
            do {
                let (first, second) = (Promise<Int>(), Promise<Int>())
                let futures = [first.future, second.future]
                Future.whenAll(futures).cancel()
                Future.whenAny(futures).cancel()
                first.future.and(second.future).cancel()
                first.fail(TestError("first"))
                second.fail(TestError("second"))
            }
            await turns(2)
        }
        #expect(Set(reports.all.map { ($0.error as? TestError)?.name }) == ["first", "second"])
    }

    @Test("the errors that come after whenAny or and has a result count as looked at")
    func laterErrors() throws {
        let reports = Recorder<UnhandledError>()
        try virtually {
            EventLoop.current.setErrorHandler { reports.add($0) }
            for isCancelled in [true, false] {
                let promises = (0..<4).map { _ in Promise<Int>() }
                let any = Future.whenAny([promises[0].future, promises[1].future])
                let both = promises[2].future.and(promises[3].future)
                if isCancelled {
                    promises[0].future.cancel()
                    promises[2].future.cancel()
                } else {
                    promises[0].succeed(1)
                    promises[2].fail(TestError("first"))
                }
                await turns(2)
                #expect(any.result != nil && both.result != nil)
                promises[1].fail(TestError("later"))
                promises[3].fail(TestError("later"))
            }
            await turns(2)
        }
        #expect(reports.count == 0)
    }

    // MARK: - Misuse

    @Test("futures of two loops, and the first of none, trap with a sentence")
    func misuse() async throws {
        let foreign = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            let (first, second) = (try EventLoop(), try EventLoop())
            _ = Promise<Int>(on: first).future.and(Promise<Int>(on: second).future)
        }
        #expect(foreign.sentence.contains("A future cannot be combined with one of another event loop"))
        let none = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            _ = Future<Int>.whenAny([])
        }
        #expect(none.sentence.contains("Future.whenAny needs at least one future."))
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
