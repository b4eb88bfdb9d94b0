import Glibc
import Testing

@testable import EventLoop

/// Connecting: by which address, how it fails, and that nothing is left when it does.
struct ConnectTests {
    @Test func connectsByNumericAddress() async throws {
        try await onLoop {
            let listener = try TCPListener.listen(on: anyPort)
            let address = try listener.localAddress
            let stream = try await TCPStream.connect(host: "127.0.0.1", port: address.port)
            let accepted = try await listener.accept()
            try await stream.write("hello")
            #expect(try await accepted.read(upTo: 100) == Array("hello".utf8))
        }
    }

    @Test func connectsByHostName() async throws {
        try await onLoop {
            let listener = try await TCPListener.listen(host: "localhost", port: 0)
            let port = try listener.localAddress.port
            let stream = try await TCPStream.connect(host: "localhost", port: port)
            let accepted = try await listener.accept()
            try await accepted.write("hello")
            #expect(try await stream.read(upTo: 100) == Array("hello".utf8))
        }
    }

    @Test(.enabled(if: hasIPv6, "This machine has no ::1."))
    func connectsByIPv6() async throws {
        try await onLoop {
            let listener = try TCPListener.listen(on: SocketAddress(ip: "::1", port: 0))
            let port = try listener.localAddress.port
            let stream = try await TCPStream.connect(host: "::1", port: port)
            let accepted = try await listener.accept()
            #expect(try accepted.peerAddress == stream.localAddress)
            #expect(try stream.peerAddress.description == "[::1]:\(port)")
        }
    }

    @Test func readsWhatIsThereHoweverMuchIsAskedFor() async throws {
        try await onLoop {
            let listener = try TCPListener.listen(on: anyPort)
            let stream = try await TCPStream.connect(to: listener.localAddress)
            let accepted = try await listener.accept()
            try await stream.write("hello")
            #expect(try await accepted.read(upTo: .max) == Array("hello".utf8))
        }
    }

    @Test func addressesOfBothEnds() async throws {
        try await onLoop {
            let listener = try TCPListener.listen(on: anyPort)
            let address = try listener.localAddress
            let stream = try await TCPStream.connect(to: address)
            let accepted = try await listener.accept()
            #expect(try stream.peerAddress == address)
            #expect(try accepted.localAddress == address)
            #expect(try accepted.peerAddress == stream.localAddress)
            stream.close()
            #expect(throws: StreamError.closed) { try stream.localAddress }
            #expect(throws: StreamError.closed) { try stream.peerAddress }
        }
    }

    @Test func refusedConnectionIsASystemError() async throws {
        try await onLoop {
            // Bound and not listening: nobody answers, and nobody else can take the port.
            let holder = try RawSocket(boundTo: anyPort)
            let address = try holder.localAddress
            await #expect(throws: SystemError(call: "connect", code: ECONNREFUSED)) {
                _ = try await TCPStream.connect(to: address)
            }
            #expect(engine.observers.count == 0)
        }
    }

    @Test func failedConnectionsLeaveNoDescriptor() async throws {
        await #expect(processExitsWith: .success) {
            try await onLoop {
                let holder = try RawSocket(boundTo: anyPort)
                let address = try holder.localAddress
                let before = openSocketCount()
                for _ in 0..<20 {
                    await #expect(throws: SystemError.self) { _ = try await TCPStream.connect(to: address) }
                    await #expect(throws: SystemError.self) {
                        // A multicast address: refused at once, by connect itself.
                        _ = try await TCPStream.connect(host: "224.0.0.1", port: 1)
                    }
                    #expect(throws: SystemError.self) { _ = try TCPListener.listen(on: address) }
                }
                #expect(openSocketCount() == before)
            }
        }
    }

    @Test func connectionThatFailsAtOnceLeavesNoRegistration() async throws {
        try await onLoop {
            let error = await #expect(throws: SystemError.self) {
                _ = try await TCPStream.connect(host: "224.0.0.1", port: 1)
            }
            #expect(error?.call == "connect")
            #expect(engine.observers.count == 0)
        }
    }

    @Test func cancelledWhileConnecting() async throws {
        await #expect(processExitsWith: .success) {
            try await onLoop {
                // The backlog holds one connection; the kernel drops what comes after it.
                let listener = try RawSocket(boundTo: anyPort, backlog: 0)
                let address = try listener.localAddress
                let first = try RawSocket(connectedTo: address)
                waitFor(Int(POLLIN), on: listener.fileDescriptor)
                let before = openSocketCount()
                let task = spawn { try await TCPStream.connect(to: address) }
                await untilWaiting(1)
                await turns()
                #expect(engine.waiters.count == 1)
                #expect(openSocketCount() == before + 1)
                task.cancel()
                await expectCancelled(task)
                #expect(engine.observers.count == 0)
                #expect(openSocketCount() == before)
                first.close()
            }
        }
    }

    @Test func cancelledBeforeConnecting() async throws {
        await #expect(processExitsWith: .success) {
            try await onLoop {
                let listener = try RawSocket(boundTo: anyPort, backlog: 0)
                let address = try listener.localAddress
                let first = try RawSocket(connectedTo: address)
                waitFor(Int(POLLIN), on: listener.fileDescriptor)
                let before = openSocketCount()
                let task = spawn { try await TCPStream.connect(to: address) }
                task.cancel()
                await expectCancelled(task)
                #expect(engine.observers.count == 0)
                #expect(openSocketCount() == before)
                first.close()
            }
        }
    }

    @Test func connectionUnderWayEndsWithItsTimeout() async throws {
        // The usual way to bound a connect: race it against a sleep.
        try await onLoop {
            let listener = try RawSocket(boundTo: anyPort, backlog: 0)
            let address = try listener.localAddress
            let first = try RawSocket(connectedTo: address)
            waitFor(Int(POLLIN), on: listener.fileDescriptor)
            struct TimedOut: Error {}
            await #expect(throws: TimedOut.self) {
                _ = try await gather(
                    { try await TCPStream.connect(to: address) },
                    {
                        try await sleep(for: .milliseconds(1))
                        throw TimedOut()
                    })
            }
            first.close()
        }
    }

    @Test func unknownHost() async throws {
        try await onLoop {
            // RFC 6761: .invalid never exists. An empty label never leaves the machine at all.
            let error = await #expect(throws: StreamError.self) {
                _ = try await TCPStream.connect(host: "no..such..host.invalid", port: 80)
            }
            guard case .unknownHost(let host, let reason) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(host == "no..such..host.invalid")
            #expect(!reason.isEmpty)
        }
    }

    @Test(arguments: [-1, 65536, .max])
    func badPort(port: Int) async throws {
        try await onLoop {
            await #expect(throws: StreamError.invalidAddress("port \(port) is not in 0 … 65535")) {
                _ = try await TCPStream.connect(host: "localhost", port: port)
            }
        }
    }

    @Test func addressesAreTriedInOrder() async throws {
        try await onLoop {
            let refusing = try RawSocket(boundTo: anyPort)
            let listening = try RawSocket(boundTo: anyPort, backlog: 1)
            let another = try RawSocket(boundTo: anyPort, backlog: 1)
            let addresses = try [refusing, listening, another].map { try $0.localAddress }
            let stream = try await TCPStream.connect(toFirstOf: addresses)
            #expect(try stream?.peerAddress == addresses[1])
        }
    }

    @Test func errorOfTheLastAddressIsThrown() async throws {
        try await onLoop {
            let refusing = try RawSocket(boundTo: anyPort)
            let addresses = [try SocketAddress(ip: "224.0.0.1", port: 1), try refusing.localAddress]
            await #expect(throws: SystemError(call: "connect", code: ECONNREFUSED)) {
                _ = try await TCPStream.connect(toFirstOf: addresses)
            }
            #expect(try await TCPStream.connect(toFirstOf: []) == nil)
        }
    }

    @Test func cancellationTriesNoFurtherAddress() async throws {
        try await onLoop {
            let full = try RawSocket(boundTo: anyPort, backlog: 0)
            let fullAddress = try full.localAddress
            let first = try RawSocket(connectedTo: fullAddress)
            waitFor(Int(POLLIN), on: full.fileDescriptor)
            let listening = try RawSocket(boundTo: anyPort, backlog: 1)
            let address = try listening.localAddress
            let task = spawn { try await TCPStream.connect(toFirstOf: [fullAddress, address]) }
            await untilWaiting(1)
            task.cancel()
            await expectCancelled(task)
            first.close()
        }
    }

    @Test func noDelayIsSetOnBothEnds() async throws {
        try await onLoop {
            let (one, other) = try await twoStreams()
            for stream in [one, other] {
                let noDelay = {
                    try option(TCP_NODELAY, level: CInt(IPPROTO_TCP), of: stream.descriptor.fileDescriptor)
                }
                #expect(try noDelay() == 1)
                try stream.setNoDelay(false)
                #expect(try noDelay() == 0)
                try stream.setNoDelay(true)
                #expect(try noDelay() == 1)
                stream.close()
                #expect(throws: StreamError.closed) { try stream.setNoDelay(true) }
            }
        }
    }

    @Test func socketsAreNonBlockingAndNotInherited() async throws {
        try await onLoop {
            let (one, other) = try await twoStreams()
            let listener = try TCPListener.listen(on: anyPort)
            for number in [
                one.descriptor.fileDescriptor, other.descriptor.fileDescriptor,
                listener.descriptor.fileDescriptor,
            ] {
                #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0)
                #expect(fcntl(number, F_GETFL) & O_NONBLOCK != 0)
            }
        }
    }
}

/// Reading: data, ends, resets, cancellation.
struct ReadTests {
    @Test func readsWhatIsThere() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            peer.send("hello")
            stream.waitForData()
            #expect(try await stream.read(upTo: 3) == Array("hel".utf8))
            #expect(try await stream.read(upTo: 100) == Array("lo".utf8))
        }
    }

    @Test func readsIntoTheCallersBuffer() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 8, alignment: 1)
            defer { buffer.deallocate() }
            buffer.initializeMemory(as: UInt8.self, repeating: 0xEE)
            peer.send("hello")
            stream.waitForData()
            #expect(try await stream.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[1..<4])) == 3)
            #expect(Array(buffer) == [0xEE] + Array("hel".utf8) + [0xEE, 0xEE, 0xEE, 0xEE])
            peer.shutdownWrite()
            #expect(try await stream.read(into: buffer) == 2)
            #expect(try await stream.read(into: buffer) == 0)
        }
    }

    @Test func waitsForData() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            for round in 0..<10 {
                let task = spawn { try await stream.read(upTo: 100) }
                await untilWaiting(1)
                await turns()
                #expect(!task.isDone)
                peer.send("message \(round)")
                #expect(try await task.value == Array("message \(round)".utf8))
            }
        }
    }

    @Test func dataThatComesWithTheEndIsReadFirst() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            let task = spawn { try await stream.read(upTo: 2) }
            await untilWaiting(1)
            peer.send("hello")
            peer.close()
            // The loop has not turned: both come in one event.
            stream.waitForHangup()
            #expect(try await task.value == Array("he".utf8))
            #expect(try await stream.read(upTo: 2) == Array("ll".utf8))
            #expect(try await stream.read(upTo: 2) == Array("o".utf8))
            #expect(try await stream.read(upTo: 2) == [])
        }
    }

    @Test func shortReadDoesNotHideAnEndThatIsThere() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            let task = spawn { try await stream.read(upTo: 100) }
            await untilWaiting(1)
            peer.send("hello")
            peer.shutdownWrite()
            stream.waitForHangup()
            #expect(try await task.value == Array("hello".utf8))
            // The short read was the last edge; waiting for another would be forever.
            #expect(try await stream.read(upTo: 100) == [])
        }
    }

    @Test func endComesLaterThanData() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            let first = spawn { try await stream.read(upTo: 100) }
            await untilWaiting(1)
            peer.send("hello")
            #expect(try await first.value == Array("hello".utf8))
            let second = spawn { try await stream.read(upTo: 100) }
            await untilWaiting(1)
            peer.shutdownWrite()
            #expect(try await second.value == [])
        }
    }

    @Test func endStaysTheEnd() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            peer.shutdownWrite()
            for _ in 0..<300 { #expect(try await stream.read(upTo: 100) == []) }
        }
    }

    @Test func peerThatEndedCanStillBeWrittenTo() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            peer.shutdownWrite()
            #expect(try await stream.read(upTo: 1) == [])
            try await stream.write("answer")
            try stream.shutdownWrite()
            #expect(peer.receive(100) == Array("answer".utf8))
        }
    }

    @Test func manyBytesAfterPeerEnded() async throws {
        // The hang-up is reported with every event from now on and must not be taken for writability.
        try await onLoop {
            let (stream, other) = try await twoStreams()
            try other.shutdownWrite()
            #expect(try await stream.read(upTo: 1) == [])
            let bytes = manyBytes
            let writer = spawn {
                try await stream.write(bytes)
                try stream.shutdownWrite()
            }
            await untilWaiting(1)
            #expect(same(try await other.readToEnd(), bytes))
            try await writer.value
        }
    }

    @Test func resetIsASystemError() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            let task = spawn { try await stream.read(upTo: 100) }
            await untilWaiting(1)
            peer.reset()
            await #expect(throws: SystemError(call: "recv", code: ECONNRESET)) { try await task.value }
            // The kernel tells a reset once; then there is nothing more.
            #expect(try await stream.read(upTo: 100) == [])
        }
    }

    @Test func resetBeforeTheFirstRead() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            peer.reset()
            stream.waitForHangup()
            await #expect(throws: SystemError(call: "recv", code: ECONNRESET)) {
                try await stream.read(upTo: 1)
            }
        }
    }

    @Test func dataBehindUrgentDataIsNotForgotten() async throws {
        // recv(2) stops at the urgent mark: a short count does not mean drained there.
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            let first = spawn { try await stream.read(upTo: 100) }
            await untilWaiting(1)
            peer.send(Array("before!".utf8), flags: Int(MSG_OOB))
            peer.send("behind")
            var bytes = try await first.value
            while bytes.count < "beforebehind".utf8.count { bytes += try await stream.read(upTo: 100) }
            #expect(bytes == Array("beforebehind".utf8))
        }
    }

    @Test func cancelledReadLeavesNothingAndLosesNothing() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            for round in 0..<3 {
                let task = spawn { try await stream.read(upTo: 100) }
                await untilWaiting(1)
                task.cancel()
                await expectCancelled(task)
                #expect(engine.waiters.count == 0)
                peer.send("message \(round)")
                #expect(try await stream.read(upTo: 100) == Array("message \(round)".utf8))
            }
            stream.close()
            #expect(engine.observers.count == 0)
        }
    }

    @Test func readOfACancelledTaskThrowsBeforeItWaits() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            let task = spawn { try await stream.read(upTo: 100) }
            task.cancel()
            await expectCancelled(task)
            peer.send("x")
            #expect(try await stream.read(upTo: 100) == Array("x".utf8))
        }
    }

    @Test func dataAndThenCancellationInOneTurn() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            let task = spawn { try await stream.read(upTo: 100) }
            await untilWaiting(1)
            peer.send("x")
            stream.waitForData()
            // Descriptors are looked at before calls run: the reader is awake when it is cancelled.
            EventLoop.current.callSoon { task.cancel() }
            #expect(try await task.value == Array("x".utf8))
        }
    }

    @Test func cancellationAndThenDataInOneTurn() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            let task = spawn { try await stream.read(upTo: 100) }
            await untilWaiting(1)
            peer.send("x")
            stream.waitForData()
            task.cancel()
            await expectCancelled(task)
            #expect(try await stream.read(upTo: 100) == Array("x".utf8))
        }
    }

    @Test func cancellationFromAnotherThread() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            for _ in 0..<50 {
                let task = spawn { try await stream.read(upTo: 100) }
                await untilWaiting(1)
                #expect(startThread { task.cancel() } == 0)
                await expectCancelled(task)
            }
            peer.send("x")
            #expect(try await stream.read(upTo: 100) == Array("x".utf8))
        }
    }

    @Test func twoReadersTrap() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await onLoop {
                let (stream, peer) = try await streamAndPeer()
                spawn { try await stream.read(upTo: 100) }
                spawn { try await stream.read(upTo: 100) }
                await turns()
                peer.close()
            }
        }
        expectSentence("Two tasks read from the same stream", in: result)
    }

    @Test func readingIntoAnEmptyBufferTraps() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await onLoop {
                let (stream, _) = try await streamAndPeer()
                _ = try await stream.read(into: UnsafeMutableRawBufferPointer(start: nil, count: 0))
            }
        }
        expectSentence("Reading into an empty buffer", in: result)
    }

    @Test func readingUpToNothingTraps() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await onLoop {
                let (stream, _) = try await streamAndPeer()
                _ = try await stream.read(upTo: 0)
            }
        }
        expectSentence("Reading no bytes", in: result)
    }
}

/// Writing: order, back-pressure, turns, failures.
struct WriteTests {
    @Test func writesMoreThanTheKernelTakes() async throws {
        try await onLoop {
            let (stream, other) = try await twoStreams()
            let bytes = manyBytes
            let writer = spawn {
                try await stream.write(bytes)
                try stream.shutdownWrite()
            }
            // Back-pressure: as long as nobody reads, the writer waits.
            await untilWaiting(1)
            await turns(20)
            #expect(!writer.isDone)
            let received = try await other.readToEnd()
            #expect(same(received, bytes))
            try await writer.value
        }
    }

    @Test func writesACallersBuffer() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 5, alignment: 1)
            defer { buffer.deallocate() }
            buffer.copyBytes(from: Array("hello".utf8))
            try await stream.writeAll(UnsafeRawBufferPointer(buffer))
            try await stream.write(" you")
            #expect(peer.receive(9) == Array("hello you".utf8))
        }
    }

    @Test func writingNothingSendsNothing() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            try await stream.write([])
            try await stream.write("")
            try await stream.writeAll(UnsafeRawBufferPointer(start: nil, count: 0))
            try stream.shutdownWrite()
            #expect(peer.receive(1) == [])
            stream.close()
            await #expect(throws: StreamError.closed) { try await stream.write([]) }
        }
    }

    @Test func concurrentWritersTakeTurns() async throws {
        try await onLoop {
            let (stream, other) = try await twoStreams()
            let size = moreThanTheKernelBuffers / 8
            let writers = (0..<8).map { number in
                spawn { try await stream.write([UInt8](repeating: UInt8(number), count: size)) }
            }
            let received = try await other.readAll(8 * size)
            for writer in writers { try await writer.value }
            for number in 0..<8 {
                let part = received[number * size..<(number + 1) * size]
                #expect(same(part, [UInt8](repeating: UInt8(number), count: size)[...]), "writer \(number)")
            }
        }
    }

    @Test func writersKeepTheOrderOfTheirCallsBeyondTheBudget() async throws {
        // A writer that lets others go first must not let them write first.
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            let count = Engine.budgetPerStep
            let first = spawn {
                for _ in 0..<count { try await stream.write([]) }
                // This call finds the budget spent.
                try await stream.write("first")
            }
            let second = spawn { try await stream.write("second") }
            try await first.value
            try await second.value
            #expect(peer.receive(11) == Array("firstsecond".utf8))
        }
    }

    @Test func writerCancelledInTheQueueLeavesTheOthersTheirTurns() async throws {
        try await onLoop {
            let (stream, other) = try await twoStreams()
            let bytes = manyBytes
            let first = spawn { try await stream.write(bytes) }
            await untilWaiting(1)
            let second = spawn { try await stream.write("second") }
            let third = spawn { try await stream.write("third") }
            await untilWaiting(3)
            second.cancel()
            await expectCancelled(second)
            #expect(same(try await other.readAll(bytes.count), bytes))
            #expect(try await other.readAll(5) == Array("third".utf8))
            try await first.value
            try await third.value
            // The turn came back: a later writer finds it free.
            try await stream.write("!")
            #expect(try await other.read(upTo: 100) == Array("!".utf8))
        }
    }

    @Test func writerCancelledWithItsTurnGivenPassesItOn() async throws {
        try await onLoop {
            let (stream, other) = try await twoStreams()
            let bytes = manyBytes
            let secondTask = Box<LoopTask<Void>>(nil)
            let first = spawn {
                try await stream.write(bytes)
                // The second was given its turn in this step, and has not run yet.
                secondTask.value?.cancel()
            }
            await untilWaiting(1)
            let second = spawn { try await stream.write(bytes) }
            secondTask.value = second
            await untilWaiting(2)
            let third = spawn {
                try await stream.write("third")
                try stream.shutdownWrite()
            }
            await untilWaiting(3)
            #expect(same(try await other.readAll(bytes.count), bytes))
            try await first.value
            await expectCancelled(second)
            let rest = try await other.readToEnd()
            try await third.value
            #expect(same(rest.suffix(5), Array("third".utf8)[...]))
            #expect(same(rest.dropLast(5), bytes.prefix(rest.count - 5)))
        }
    }

    @Test func writerCancelledMidway() async throws {
        try await onLoop {
            let (stream, other) = try await twoStreams()
            let bytes = manyBytes
            let first = spawn { try await stream.write(bytes) }
            await untilWaiting(1)
            let second = spawn {
                try await stream.write("second")
                try stream.shutdownWrite()
            }
            await untilWaiting(2)
            first.cancel()
            await expectCancelled(first)
            // A part was sent; what follows is the next writer's, whole.
            let received = try await other.readToEnd()
            try await second.value
            #expect(received.suffix(6) == Array("second".utf8)[...])
            #expect(same(received.dropLast(6), bytes.prefix(received.count - 6)))
            #expect(received.count > 6 && received.count < bytes.count)
        }
    }

    @Test func writingToAPeerThatIsGone() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            peer.reset()
            stream.waitForHangup()
            let error = await #expect(throws: SystemError.self) { try await stream.write("x") }
            #expect(
                error == SystemError(call: "send", code: ECONNRESET)
                    || error == SystemError(call: "send", code: EPIPE))
            // Still no SIGPIPE, or the process would be gone.
            await #expect(throws: SystemError(call: "send", code: EPIPE)) { try await stream.write("x") }
        }
    }

    @Test func writerThatWaitsHearsOfTheReset() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            let bytes = manyBytes
            let writer = spawn { try await stream.write(bytes) }
            await untilWaiting(1)
            let queued = spawn { try await stream.write("queued") }
            await untilWaiting(2)
            peer.reset()
            await #expect(throws: SystemError.self) { try await writer.value }
            await #expect(throws: SystemError.self) { try await queued.value }
        }
    }

    @Test func shutdownWriteEndsThePeersReading() async throws {
        try await onLoop {
            let (stream, other) = try await twoStreams()
            try await stream.write("last")
            try stream.shutdownWrite()
            #expect(try await other.readToEnd() == Array("last".utf8))
            try await other.write("answer")
            #expect(try await stream.read(upTo: 100) == Array("answer".utf8))
            await #expect(throws: SystemError(call: "send", code: EPIPE)) { try await stream.write("more") }
        }
    }
}

/// Closing: from inside, from outside, twice, never.
struct CloseTests {
    @Test func closeWakesReaderWriterAndQueuedWriters() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            let bytes = manyBytes
            let writer = spawn { try await stream.write(bytes) }
            await untilWaiting(1)
            let queued = (0..<3).map { _ in spawn { try await stream.write("queued") } }
            let reader = spawn { try await stream.read(upTo: 1) }
            await untilWaiting(5)
            stream.close()
            await expectClosed(reader)
            await expectClosed(writer)
            for task in queued { await expectClosed(task) }
            #expect(engine.observers.count == 0)
            peer.close()
        }
    }

    @Test func operationsAfterCloseThrow() async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            #expect(!stream.isClosed)
            peer.send("x")
            stream.waitForData()
            stream.close()
            #expect(stream.isClosed)
            await #expect(throws: StreamError.closed) { try await stream.read(upTo: 1) }
            await #expect(throws: StreamError.closed) { try await stream.write("x") }
            #expect(throws: StreamError.closed) { try stream.shutdownWrite() }
        }
    }

    @Test func closingTwiceClosesNobodyElsesDescriptor() async throws {
        await #expect(processExitsWith: .success) {
            try await onLoop {
                let (stream, peer) = try await streamAndPeer()
                let number = stream.descriptor.fileDescriptor
                stream.close()
                // The successor is put there: which number comes next is the whole process's affair.
                let other = try RawSocket()
                if other.fileDescriptor != number { #expect(dup2(other.fileDescriptor, number) == number) }
                stream.close()
                #expect(fcntl(number, F_GETFD) >= 0)
                peer.close()
            }
        }
    }

    @Test func peerReadsTheEndAfterClose() async throws {
        try await onLoop {
            let (stream, other) = try await twoStreams()
            try await stream.write("last")
            stream.close()
            #expect(try await other.readToEnd() == Array("last".utf8))
        }
    }

    @Test func lastReferenceCloses() async throws {
        try await onLoop {
            var (stream, peer): (TCPStream?, RawSocket) = try await streamAndPeer()
            let identity = stream!.identity
            #expect(identity.isOpen)
            stream = nil
            #expect(!identity.isOpen)
            #expect(peer.receive(1) == [])
        }
    }

    @Test func lastReferenceClosesWhatIsWatched() async throws {
        try await onLoop {
            var (stream, peer): (TCPStream?, RawSocket) = try await streamAndPeer()
            let identity = stream!.identity
            await watch(stream!)
            #expect(engine.observers.count == 1)
            stream = nil
            #expect(engine.observers.count == 0)
            #expect(!identity.isOpen)
            peer.close()
        }
    }

    @Test(arguments: [false, true])
    func lastReferenceOnAnotherThread(isWatched: Bool) async throws {
        try await onLoop {
            let (stream, peer) = try await streamAndPeer()
            let identity = stream.identity
            if isWatched { await watch(stream) }
            let box = Box(stream)
            try await dropOnAnotherThread(box, consume stream)
            await until { !identity.isOpen }
            #expect(engine.observers.count == 0)
            peer.close()
        }
    }

    @Test(arguments: [false, true])
    func streamThatOutlivesItsLoopIsClosed(isWatched: Bool) async throws {
        let box = Box<TCPStream>(nil)
        let identity = try await onOwnThread {
            var loop: EventLoop? = try EventLoop()
            let identity = try loop!.run {
                let (stream, peer) = try await streamAndPeer()
                if isWatched { await watch(stream) }
                box.value = stream
                peer.close()
                return stream.identity
            }
            loop = nil
            return identity
        }
        box.value = nil
        #expect(!identity.isOpen)
    }

    @Test(arguments: [false, true])
    func streamDroppedBetweenRunsIsClosed(isWatched: Bool) async throws {
        let (isOpen, isEngineAlive) = try await onOwnThread {
            let box = Box<TCPStream>(nil)
            var loop: EventLoop? = try EventLoop()
            let identity = try loop!.run {
                let (stream, peer) = try await streamAndPeer()
                if isWatched { await watch(stream) }
                box.value = stream
                peer.close()
                return stream.identity
            }
            weak let engine = loop!.engine
            box.value = nil
            loop = nil
            return (identity.isOpen, engine != nil)
        }
        #expect(!isOpen)
        #expect(!isEngineAlive, "the loop is kept alive by what it watched")
    }

    @Test(arguments: [
        "write", "read", "shutdownWrite", "close", "isClosed", "localAddress", "peerAddress", "setNoDelay",
    ])
    func useFromAnotherThreadTraps(what: String) async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            [what] in
            try await onLoop {
                let (stream, _) = try await streamAndPeer()
                let other = try EventLoop()
                _ = startThread {
                    try? other.run {
                        switch what {
                        case "write": try await stream.write("x")
                        case "read": _ = try await stream.read(upTo: 1)
                        case "shutdownWrite": try stream.shutdownWrite()
                        case "isClosed": _ = stream.isClosed
                        case "localAddress": _ = try stream.localAddress
                        case "peerAddress": _ = try stream.peerAddress
                        case "setNoDelay": try stream.setNoDelay(true)
                        default: stream.close()
                        }
                    }
                }
                try await sleep(until: .never)
            }
        }
        let isForTheLoopAlone = ["write", "read", "shutdownWrite"].contains(what)
        expectSentence(
            isForTheLoopAlone ? "outside its event loop's thread" : "while another thread runs", in: result)
    }

    @Test func connectingWithoutALoopTraps() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = try await TCPStream.connect(to: anyPort)
        }
        expectSentence("TCPStream.connect was called outside a running event loop", in: result)
    }
}

/// Lets the stream wait once, so that the loop watches it from now on.
func watch(_ stream: TCPStream) async {
    let waiting = engine.waiters.count
    let task = spawn { try await stream.read(upTo: 1) }
    await untilWaiting(waiting + 1)
    task.cancel()
    await expectCancelled(task)
}
