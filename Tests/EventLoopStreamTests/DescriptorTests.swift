import Glibc
import Synchronization
import Testing

@testable import EventLoop

/// How readiness is remembered, and who is woken.
struct DescriptorTests {
    @Test func shortReadWaitsWithoutAskingAgain() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            nonisolated(unsafe) var attempts = 0
            @Sendable func read(_ count: Int) async throws -> Int {
                try await stream.descriptor.read(full: count, call: "recv") { number in
                    attempts += 1
                    var bytes = [UInt8](repeating: 0, count: count)
                    return orNegatedErrno(recv(number, &bytes, count, 0))
                }
            }
            peer.send("hello")
            stream.waitForData()
            #expect(try await read(3) == 3)
            #expect(try await read(3) == 2)
            #expect(attempts == 2)
            let task = spawn { try await read(3) }
            await untilWaiting(1)
            // The count was short: the kernel's buffer was known to be empty.
            #expect(attempts == 2)
            peer.send("more")
            #expect(try await task.value == 3)
            #expect(attempts == 3)
            // A full count says nothing, so it has to ask.
            #expect(try await read(1) == 1)
            let last = spawn { try await read(3) }
            await untilWaiting(1)
            #expect(attempts == 5)
            last.cancel()
            await expectCancelled(last)
        }
    }

    @Test func endIsFoundWithoutAnotherEvent() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            await watch(stream)
            peer.close()
            stream.waitForHangup()
            await turns()
            // The only event has come and gone while nobody waited.
            #expect(try await stream.read(upTo: 1) == [])
        }
    }

    @Test func dataIsFoundWhoseEventCameWhileNobodyWaited() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            await watch(stream)
            peer.send("x")
            stream.waitForData()
            await turns()
            #expect(try await stream.read(upTo: 1) == Array("x".utf8))
        }
    }

    @Test func interruptedCallsAreRepeated() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            var interruptions = 5
            let count = try await stream.descriptor.read(full: 10, call: "recv") { _ in
                interruptions -= 1
                return interruptions >= 0 ? -Int(EINTR) : 7
            }
            #expect(count == 7 && interruptions == -1)
            interruptions = 5
            var offsets: [Int] = []
            try await stream.descriptor.writeAll(10, call: "send") { _, offset in
                offsets.append(offset)
                interruptions -= 1
                return interruptions >= 0 ? -Int(EINTR) : 10
            }
            #expect(offsets == [0, 0, 0, 0, 0, 0])
            peer.close()
        }
    }

    @Test func errorsNameTheCall() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            await #expect(throws: SystemError(call: "recv", code: EIO)) {
                try await stream.descriptor.read(full: 1, call: "recv") { _ in -Int(EIO) }
            }
            await #expect(throws: SystemError(call: "send", code: ENOBUFS)) {
                try await stream.descriptor.writeAll(1, call: "send") { _, _ in -Int(ENOBUFS) }
            }
            // The turn was given back.
            try await stream.write("x")
            #expect(peer.receive(1) == Array("x".utf8))
        }
    }

    @Test func readerAndWriterWaitAtOnce() async throws {
        try await onLoop {
            let (stream, other) = try await twoStreams()
            let bytes = manyBytes
            let writer = spawn { try await stream.write(bytes) }
            await untilWaiting(1)
            let reader = spawn { try await stream.read(upTo: 100) }
            await untilWaiting(2)
            // One fires, the other stays armed.
            try await other.write("one")
            #expect(try await reader.value == Array("one".utf8))
            await turns()
            #expect(!writer.isDone)
            let second = spawn { try await stream.read(upTo: 100) }
            await untilWaiting(2)
            // Now the other way round.
            #expect(same(try await other.readAll(bytes.count), bytes))
            try await writer.value
            await turns()
            #expect(!second.isDone)
            try await other.write("two")
            #expect(try await second.value == Array("two".utf8))
        }
    }

    @Test func cancelledReaderLeavesTheWriterWaiting() async throws {
        try await onLoop {
            let (stream, other) = try await twoStreams()
            let bytes = manyBytes
            let writer = spawn { try await stream.write(bytes) }
            await untilWaiting(1)
            let reader = spawn { try await stream.read(upTo: 100) }
            await untilWaiting(2)
            reader.cancel()
            await expectCancelled(reader)
            #expect(same(try await other.readAll(bytes.count), bytes))
            try await writer.value
        }
    }

    // MARK: - Numbers that are used again

    @Test func newOwnerOfANumberGetsNoStaleEvent() async throws {
        await #expect(processExitsWith: .success) {
            try await onLoop {
                // The process's runtime, too, opens files now and then: again until the number is the same.
                while try await !DescriptorTests.replaceInOneBatch() {}
            }
        }
    }

    /// Lets the first stream's event make its task close the second, whose event is in the same batch, and
    /// open a third. Returns whether that has the second's number.
    fileprivate static func replaceInOneBatch() async throws -> Bool {
        let listener = try RawSocket(boundTo: anyPort, backlog: 8)
        let address = try listener.localAddress
        let first = try await TCPStream.connect(to: address)
        let firstPeer = try listener.accept()
        let second = try await TCPStream.connect(to: address)
        let secondPeer = try listener.accept()
        let number = second.descriptor.fileDescriptor

        let replace = spawn {
            _ = try await first.read(upTo: 1)
            second.close()
            return try await TCPStream.connect(to: address)
        }
        await untilWaiting(1)
        let secondReader = spawn { try await second.read(upTo: 1) }
        await untilWaiting(2)
        firstPeer.send("x")
        secondPeer.send("y")
        first.waitForData()
        second.waitForData()
        let third = try await replace.value
        await expectClosed(secondReader)

        let thirdPeer = try listener.accept()
        let reader = spawn { try await third.read(upTo: 100) }
        await untilWaiting(1)
        await turns()
        #expect(!reader.isDone)
        thirdPeer.send("z")
        #expect(try await reader.value == Array("z".utf8))
        return third.descriptor.fileDescriptor == number
    }

    @Test func eventOfAnEarlierOwnerFindsNobody() async throws {
        // The same without the kernel: the token of a closed descriptor, delivered late.
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            await watch(stream)
            stream.close()
            #expect(engine.observers.count == 0)
            let (next, nextPeer) = try await streamAndPeer()
            let reader = spawn { try await next.read(upTo: 1) }
            await untilWaiting(1)
            peer.close()
            await turns()
            #expect(!reader.isDone)
            nextPeer.send("x")
            #expect(try await reader.value == Array("x".utf8))
        }
    }

    @Test func numberUsedAgainIsWatchedAnew() async throws {
        await #expect(processExitsWith: .success) {
            try await onLoop {
                var numbers: Set<CInt> = []
                for round in 0..<20 {
                    let (stream, peer) = try await streamAndPeer()
                    numbers.insert(stream.descriptor.fileDescriptor)
                    let reader = spawn { try await stream.read(upTo: 100) }
                    await untilWaiting(1)
                    peer.send("\(round)")
                    #expect(try await reader.value == Array("\(round)".utf8))
                    stream.close()
                }
                #expect(numbers.count < 20)
            }
        }
    }

    @Test func duplicateInAChildDoesNotKeepEventsComing() async throws {
        // The kernel keeps a watch as long as a duplicate of the descriptor is open.
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            await watch(stream)
            let duplicate = dup(stream.descriptor.fileDescriptor)
            defer { close(duplicate) }
            stream.close()
            peer.send("x")
            waitFor(Int(POLLIN), on: duplicate)
            await turns()
            #expect(engine.observers.count == 0)
            let (next, nextPeer) = try await streamAndPeer()
            let reader = spawn { try await next.read(upTo: 1) }
            await untilWaiting(1)
            nextPeer.send("y")
            #expect(try await reader.value == Array("y".utf8))
        }
    }

    // MARK: - Fairness

    @Test func streamThatNeverRunsDryStarvesNobody() async throws {
        try await onLoop {
            let (flooded, flooder) = try await twoStreams()
            let (other, otherPeer) = try await twoStreams()
            let flood = spawn { try await flooder.write(manyBytes) }
            await untilWaiting(1)
            var timerCame = false
            EventLoop.current.callLater(.milliseconds(1)) { timerCame = true }
            let echo = spawn {
                for round in 0..<10 {
                    try await other.write("\(round)")
                    #expect(try await other.read(upTo: 1) == Array("\(round)".utf8))
                }
            }
            let answering = spawn {
                for _ in 0..<10 { try await otherPeer.write(try await otherPeer.read(upTo: 1)) }
            }
            // Byte by byte out of what is there already: not one of these reads has to wait.
            var count = 0
            while !(timerCame && echo.isDone && answering.isDone) {
                count += try await flooded.read(upTo: 1).count
            }
            #expect(count < manyBytes.count / 8)
            flood.cancel()
            await expectCancelled(flood)
            try await echo.value
            try await answering.value
        }
    }

    @Test func writerThatNeverWaitsStarvesNobody() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            var timerCame = false
            EventLoop.current.callLater(.milliseconds(1)) { timerCame = true }
            while !timerCame { try await stream.write([]) }
            peer.close()
        }
    }

    @Test func streamThatNeverRunsDryNoticesCancellation() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            peer.shutdownWrite()
            let task = spawn { while true { _ = try await stream.read(upTo: 1) } }
            await turns()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    // MARK: - Signals

    @Test func signalHandlersDoNotEndAWait() async throws {
        await #expect(processExitsWith: .success) {
            try await onLoop {
                var action = sigaction()
                action.__sigaction_handler.sa_handler = { _ in
                    signalCount.add(1, ordering: .relaxed)
                }
                // Without SA_RESTART: system calls that wait return EINTR.
                sigaction(SIGUSR2, &action, nil)
                // A thread that was started by one of the runtime's has its mask, which blocks signals.
                var mask = sigset_t()
                sigemptyset(&mask)
                sigaddset(&mask, SIGUSR2)
                pthread_sigmask(SIG_UNBLOCK, &mask, nil)
                let (stream, peer) = try await streamAndPeer()
                let loopThread = pthread_self()
                let reader = spawn { try await stream.read(upTo: 100) }
                await untilWaiting(1)
                #expect(
                    startThread {
                        for number in 1...50 {
                            pthread_kill(loopThread, SIGUSR2)
                            while signalCount.load(ordering: .relaxed) < number { sched_yield() }
                        }
                        peer.send("x")
                    } == 0)
                // Nothing else is ready: the loop waits in the kernel while the signals come.
                #expect(try await reader.value == Array("x".utf8))
                #expect(signalCount.load(ordering: .relaxed) == 50)
            }
        }
    }
}

private let signalCount = Atomic<Int>(0)
