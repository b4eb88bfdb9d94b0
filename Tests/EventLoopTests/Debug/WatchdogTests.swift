import Glibc
import Synchronization
import TestSupport
import Testing

@testable import EventLoop

/// Stalls are real here: a step blocks until the report of it lets it go on. Nothing depends on how long.
@Suite("Debug mode: stalls", .timeLimit(.minutes(5)))
struct WatchdogTests {
    /// A loop that calls `onReport` with what the watchdog says.
    ///
    /// Without the reports that have no backtrace: a thread that gets no processor does not answer in time.
    /// Another report follows when the stall has lasted twice as long.
    private static func loop(
        clock: EventLoop.ClockKind = .monotonic, _ onReport: @escaping @Sendable (Stall) -> Void
    ) throws -> EventLoop {
        let loop = try EventLoop(clock: clock, debug: true)
        loop.stallThreshold = .milliseconds(2)
        loop.setDebugHandler { report in
            guard case .stall(let work, let lasting, let backtrace) = report, !backtrace.isEmpty
            else { return }
            onReport(Stall(work: work, lasting: lasting, backtrace: backtrace))
        }
        return loop
    }

    struct Stall: Sendable {
        let work: DebugReport.Work
        let lasting: Duration
        let backtrace: [String]

        func isIn(_ function: String) -> Bool { backtrace.contains { $0.contains(function) } }
    }

    @Test("a stall is reported while it lasts, with its task and the function that blocks")
    func reported() async throws {
        let stalls = Recorder<Stall>()
        try await onThread {
            let gate = Gate()
            // On a busy machine other steps take long, too, and so does the way to the function.
            let loop = try Self.loop { stall in
                guard stall.isIn("blockHere(TestSupport.Gate) -> ()") else { return }
                stalls.add(stall)
                gate.open()
            }
            try loop.runBody {
                try await spawn(name: "stuck") { blockHere(gate) }.value
            }
        }
        let stall = try #require(stalls.all.first)
        #expect(stall.work.name == "task stuck")
        #expect(stall.work.fileID == "EventLoopTests/WatchdogTests.swift" && stall.work.line != nil)
        #expect(stall.lasting >= .milliseconds(2))
        #expect(stall.isIn("EventLoop.Engine.run(until:"), "\(stall.backtrace)")
        let text = "\(DebugReport.stall(of: stall.work, lasting: .seconds(3), backtrace: ["f", "g"]))"
        #expect(
            text.hasPrefix(
                "The loop has been held up for 3.000 s by a step of task stuck, from EventLoopTests/"))
        #expect(text.hasSuffix(":\n    f\n    g"))
    }

    @Test("a stall that goes on is reported again whenever it has lasted twice as long")
    func doubling() async throws {
        let stalls = Recorder<Stall>()
        try await onThread {
            let gate = Gate()
            let loop = try Self.loop {
                stalls.add($0)
                if stalls.count == 4 { gate.open() }
            }
            try loop.runBody { blockHere(gate) }
        }
        let lasting = stalls.all.map(\.lasting)
        #expect(lasting.count == 4)
        for (index, pair) in zip(lasting, lasting.dropFirst()).enumerated() {
            #expect(pair.0 >= .milliseconds(2 << index))
            #expect(pair.1 >= .milliseconds(4 << index))
        }
    }

    @Test("each stall is reported, and so is a call")
    func calls() async throws {
        let stalls = Recorder<Stall>()
        try await onThread {
            let gates = [Gate(), Gate()]
            let reported = Recorder<UInt>()
            let loop = try Self.loop {
                stalls.add($0)
                // The first may be reported twice, while it is let go.
                if !reported.all.contains($0.work.line!) { gates[Set(reported.all).count].open() }
                reported.add($0.work.line!)
            }
            loop.callSoon { blockHere(gates[0]) }
            loop.callSoon {
                blockHere(gates[1])
                loop.stop()
            }
            try loop.run()
        }
        #expect(stalls.all.allSatisfy { $0.work.name == "call" })
        #expect(Set(stalls.all.map(\.work.line)).count == 2)
    }

    @Test(
        "a stall on a loop whose time stands still is seen all the same",
        arguments: [EventLoop.ClockKind.virtual, .manual])
    func otherClocks(clock: EventLoop.ClockKind) async throws {
        let stalls = Recorder<Stall>()
        try await onThread {
            let gate = Gate()
            let loop = try Self.loop(clock: clock) {
                stalls.add($0)
                gate.open()
            }
            try loop.runBody { blockHere(gate) }
        }
        #expect(stalls.count >= 1)
    }

    @Test("a blocking call that the backtrace interrupts goes on by itself")
    func blockingCallGoesOn() async throws {
        let stalls = Recorder<Stall>()
        let outcome = try await onThread { () -> (count: Int, code: CInt) in
            var ends: (CInt, CInt) = (0, 0)
            withUnsafeMutableBytes(of: &ends) { _ = pipe($0.baseAddress!.assumingMemoryBound(to: CInt.self)) }
            defer {
                close(ends.0)
                close(ends.1)
            }
            let (reading, writing) = ends
            let loop = try Self.loop {
                stalls.add($0)  // Each with a backtrace: the call was interrupted for it.
                if stalls.count == 3 { _ = write(writing, "x", 1) }
            }
            return try loop.runBody {
                var byte: UInt8 = 0
                let count = read(reading, &byte, 1)
                return (count, errno)
            }
        }
        #expect(outcome.count == 1, "errno \(outcome.code)")
    }

    @Test("a stall in a call that the backtrace ends, and with it the step, is reported all the same")
    func blockingCallEnds() async throws {
        let stalls = Recorder<Stall>()
        try await onThread {
            let loop = try Self.loop { stalls.add($0) }
            loop.callSoon {
                pollHere()
                loop.stop()
            }
            try loop.run()
        }
        let stall = try #require(stalls.all.first { $0.isIn("pollHere() -> ()") })
        #expect(stall.work.name == "call")
    }

    @Test("two loops at once are each told by their own backtrace")
    func twoLoops() async throws {
        let stalls = Recorder<Stall>()
        let gate = Gate()
        let threads = try (0..<2).map { number in
            let loop = try Self.loop { stall in
                guard stall.isIn("blockHere") || stall.isIn("blockThere") else { return }
                stalls.add(stall)
                if Set(stalls.all.map(\.work.name)).count == 2 { gate.open() }
            }
            return Thread {
                try loop.runBody {
                    try await spawn(name: "\(number)") {
                        number == 0 ? blockHere(gate) : blockThere(gate)
                    }.value
                }
            }
        }
        for thread in threads { try await thread.value }
        for stall in stalls.all {
            #expect(stall.isIn("blockHere") == (stall.work.name == "task 0"))
            #expect(stall.isIn("blockThere") == (stall.work.name == "task 1"))
        }
    }

    @Test("a thread that blocks the signal is seen all the same, and blocks it again afterwards")
    func blockedSignal() async throws {
        let stalls = Recorder<Stall>()
        let isBlocked = try await onThread { () -> Bool in
            var mask = sigset_t()
            sigemptyset(&mask)
            sigaddset(&mask, SIGURG)
            pthread_sigmask(SIG_BLOCK, &mask, nil)
            let gate = Gate()
            let loop = try Self.loop {
                stalls.add($0)
                gate.open()
            }
            try loop.runBody { blockHere(gate) }
            pthread_sigmask(SIG_BLOCK, nil, &mask)
            return sigismember(&mask, SIGURG) == 1
        }
        #expect(isBlocked)
        #expect(stalls.count >= 1)
    }

    @Test("a threshold that is lowered while the loop runs counts from then on")
    func loweredThreshold() async {
        await #expect(processExitsWith: .success) {
            let gate = Gate()
            let loop = try WatchdogTests.loop { _ in gate.open() }
            loop.stallThreshold = .seconds(1_000_000)
            try loop.runBody {
                #expect(watchdogCount(until: 1) == 1)
                // Long enough for it to go to sleep.
                usleep(50_000)
                loop.stallThreshold = .milliseconds(2)
                blockHere(gate)
            }
        }
    }

    @Test("the threshold is at least a millisecond")
    func leastThreshold() throws {
        let loop = try EventLoop()
        #expect(loop.stallThreshold == .seconds(1))
        loop.stallThreshold = .zero
        #expect(loop.stallThreshold == .milliseconds(1))
    }

    // MARK: - What the process sees: in a process of their own

    @Test("after a run the signal does what it did before")
    func dispositionIsRestored() async {
        await #expect(processExitsWith: .success) {
            try WatchdogTests.stallOnce()
            #expect(handler(of: SIGURG) == nil)
            signal(SIGURG) { _ in arrivals.add(1, ordering: .relaxed) }
            let before = handler(of: SIGURG)
            try WatchdogTests.stallOnce()
            #expect(before != nil && handler(of: SIGURG) == before)
            #expect(arrivals.load(ordering: .relaxed) == 0, "the watchdog's signals are its own")
        }
    }

    @Test("while a loop runs, the program's own handler hears of others' signals")
    func handlerStillHears() async {
        await #expect(processExitsWith: .success) {
            signal(SIGURG) { _ in arrivals.add(1, ordering: .relaxed) }
            try EventLoop(debug: true).runBody {
                #expect(raise(SIGURG) == 0)
            }
            #expect(arrivals.load(ordering: .relaxed) == 1)
        }
    }

    @Test("a signal that the program ignores is ignored, whatever the flags of its action say")
    func ignoredSignal() async {
        await #expect(processExitsWith: .success) {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = SIG_IGN
            action.sa_flags = SA_SIGINFO
            sigaction(SIGURG, &action, nil)
            try EventLoop(debug: true).runBody {
                #expect(raise(SIGURG) == 0)
            }
        }
    }

    @Test("a handler that the program sets while a loop runs stays")
    func laterHandlerStays() async {
        await #expect(processExitsWith: .success) {
            try EventLoop(debug: true).runBody {
                signal(SIGURG) { _ in arrivals.add(1, ordering: .relaxed) }
            }
            // The threads of the tests block signals.
            unblock(SIGURG)
            raise(SIGURG)
            #expect(arrivals.load(ordering: .relaxed) == 1)
        }
    }

    @Test("no thread is left after a run, and without debug mode there is none")
    func noThreadIsLeft() async {
        await #expect(processExitsWith: .success) {
            try WatchdogTests.stallOnce()
            #expect(watchdogCount(until: 0) == 0)
            try EventLoop(debug: true).runBody { #expect(watchdogCount(until: 1) == 1) }
            #expect(watchdogCount(until: 0) == 0)
            try EventLoop(debug: false).runBody { #expect(watchdogCount(until: 0) == 0) }
        }
    }

    @Test("the thread blocks the signals that others send, so that they reach the loop")
    func threadBlocksSignals() async {
        await #expect(processExitsWith: .success) {
            try EventLoop(debug: true).runBody {
                #expect(watchdogCount(until: 1) == 1)
                for thread in threads(named: "loop watchdog") {
                    let status = contents(of: "/proc/self/task/\(thread)/status")
                    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("SigBlk:") })
                    let mask = try #require(UInt64(line.split(separator: "\t")[1], radix: 16))
                    for number in [SIGURG, SIGUSR1, SIGINT, SIGTERM] {
                        #expect(mask & 1 << UInt64(number - 1) != 0)
                    }
                }
            }
        }
    }

    /// A run in debug mode that is held up once.
    private static func stallOnce() throws {
        let gate = Gate()
        try loop { _ in gate.open() }.runBody { blockHere(gate) }
    }
}

/// Blocks for a minute, unless a signal comes.
@inline(never)
private func pollHere() {
    _ = poll(nil, 0, 60_000)
}

/// The functions whose names the backtraces are searched for.
@inline(never)
private func blockHere(_ gate: Gate) {
    gate.pass()
}

@inline(never)
private func blockThere(_ gate: Gate) {
    gate.pass()
}

/// Signals that the program's own handler has heard of.
private let arrivals = Atomic<Int>(0)

/// The address of the handler that a signal has; nil for the default.
private func handler(of number: CInt) -> UInt? {
    var action = sigaction()
    sigaction(number, nil, &action)
    let address = unsafeBitCast(action.__sigaction_handler.sa_handler, to: UInt.self)
    return address == 0 ? nil : address
}

private func unblock(_ number: CInt) {
    var mask = sigset_t()
    sigemptyset(&mask)
    sigaddset(&mask, number)
    pthread_sigmask(SIG_UNBLOCK, &mask, nil)
}

/// How many threads watch a loop. Those that have just been started or let go are waited for.
private func watchdogCount(until expected: Int) -> Int {
    for _ in 0..<10_000 where threadCount(named: "loop watchdog") != expected { usleep(1000) }
    return threadCount(named: "loop watchdog")
}

private func contents(of path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 8192)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes.prefix(count), as: UTF8.self)
}
