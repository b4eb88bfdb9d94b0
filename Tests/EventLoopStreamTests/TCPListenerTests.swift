import Glibc
import Synchronization
import Testing

@testable import EventLoop

struct ListenTests {
    @Test func kernelChoosesThePort() async throws {
        try await onLoop {
            let one = try TCPListener.listen(on: anyPort)
            let other = try TCPListener.listen(on: anyPort)
            #expect(try one.localAddress.ip == "127.0.0.1")
            let ports = (try one.localAddress.port, try other.localAddress.port)
            #expect(ports.0 > 0 && ports.1 > 0 && ports.0 != ports.1)
            one.close()
            #expect(throws: StreamError.closed) { try one.localAddress }
        }
    }

    @Test func addressInUse() async throws {
        // In a process of its own: one that is being started elsewhere holds a copy of each descriptor until
        // its exec, and with a listener its address.
        await #expect(processExitsWith: .success) {
            try await onLoop {
                // Nobody else's ports: between its two owners the port is free for others.
                let ownAddress = try SocketAddress(ip: "127.77.0.1", port: 0)
                let listener = try TCPListener.listen(on: ownAddress)
                let address = try listener.localAddress
                for reuseAddress in [false, true] {
                    // SO_REUSEADDR is about connections that linger, not about a second listener.
                    #expect(throws: SystemError(call: "bind", code: EADDRINUSE)) {
                        try TCPListener.listen(on: address, reuseAddress: reuseAddress)
                    }
                }
                listener.close()
                _ = try TCPListener.listen(on: address)
            }
        }
    }

    @Test func reuseAddressTakesAPortWithLingeringConnections() async throws {
        await #expect(processExitsWith: .success) {
            try await onLoop {
                let ownAddress = try SocketAddress(ip: "127.77.0.2", port: 0)
                let listener = try TCPListener.listen(on: ownAddress)
                let address = try listener.localAddress
                let peer = try RawSocket(connectedTo: address)
                let accepted = try await listener.accept()
                // Whoever closes first lingers in TIME_WAIT; here that is the listener's side.
                accepted.close()
                #expect(peer.receive(1) == [])
                peer.close()
                listener.close()
                #expect(throws: SystemError(call: "bind", code: EADDRINUSE)) {
                    try TCPListener.listen(on: address, reuseAddress: false)
                }
                _ = try TCPListener.listen(on: address)
            }
        }
    }

    @Test func reusePortShares() async throws {
        try await onLoop {
            let one = try TCPListener.listen(on: anyPort, reusePort: true)
            let address = try one.localAddress
            let other = try TCPListener.listen(on: address, reusePort: true)
            #expect(try other.localAddress == address)
            #expect(throws: SystemError(call: "bind", code: EADDRINUSE)) {
                try TCPListener.listen(on: address)
            }
            // Each connection goes to one of them.
            let accepted = Box(0)
            let tasks = [one, other].map { listener in
                spawn { for try await _ in listener { accepted.value! += 1 } }
            }
            let peers = try (0..<20).map { _ in try RawSocket(connectedTo: address) }
            await until { accepted.value == 20 }
            one.close()
            other.close()
            for task in tasks { try await task.value }
            for peer in peers { peer.close() }
        }
    }

    @Test func addressOfAnotherMachineIsRefused() async throws {
        try await onLoop {
            #expect(throws: SystemError(call: "bind", code: EADDRNOTAVAIL)) {
                try TCPListener.listen(on: SocketAddress(ip: "192.0.2.1", port: 0))
            }
        }
    }

    @Test func listensByHostName() async throws {
        try await onLoop {
            let listener = try await TCPListener.listen(host: "localhost", port: 0)
            let address = try listener.localAddress
            _ = try await TCPStream.connect(to: address)
            _ = try await listener.accept()
        }
    }

    @Test(.enabled(if: hasIPv6, "This machine has no ::1."))
    func anyIPv6AddressTakesIPv4() async throws {
        try await onLoop {
            let listener = try TCPListener.listen(on: SocketAddress(ip: "::", port: 0))
            let port = try listener.localAddress.port
            let stream = try await TCPStream.connect(host: "127.0.0.1", port: port)
            let accepted = try await listener.accept()
            #expect(try accepted.peerAddress.ip == "::ffff:127.0.0.1")
            #expect(try stream.peerAddress.ip == "127.0.0.1")
        }
    }

    @Test func lastReferenceCloses() async throws {
        try await onLoop {
            var listener: TCPListener? = try TCPListener.listen(on: anyPort)
            let identity = listener!.identity
            let task = spawn { [listener] in _ = try await listener!.accept() }
            await untilWaiting(1)
            task.cancel()
            await expectCancelled(task)
            #expect(engine.observers.count == 1)
            listener = nil
            #expect(engine.observers.count == 0)
            #expect(!identity.isOpen)
        }
    }

    @Test func listeningWithoutALoopTraps() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = try TCPListener.listen(on: anyPort)
        }
        expectSentence("TCPListener.listen was called outside a running event loop", in: result)
    }
}

struct AcceptTests {
    @Test func waitsForAConnection() async throws {
        try await onLoop {
            let listener = try TCPListener.listen(on: anyPort)
            let address = try listener.localAddress
            for _ in 0..<5 {
                let task = spawn { try await listener.accept() }
                await untilWaiting(1)
                await turns()
                #expect(!task.isDone)
                let peer = try RawSocket(connectedTo: address)
                #expect(try await task.value.peerAddress == peer.localAddress)
            }
        }
    }

    @Test func listenerIsASequence() async throws {
        try await onLoop {
            let listener = try TCPListener.listen(on: anyPort)
            let address = try listener.localAddress
            let server = spawn {
                var count = 0
                for try await stream in listener {
                    count += 1
                    try await stream.write("\(count)")
                }
                return count
            }
            for number in 1...3 {
                let peer = try RawSocket(connectedTo: address)
                await until { engine.waiters.count == 1 && !server.isDone }
                let stream = try await TCPStream.connect(to: address)
                _ = try await stream.read(upTo: 1)
                #expect(peer.receive(1) == Array("\(2 * number - 1)".utf8))
            }
            listener.close()
            #expect(try await server.value == 6)
            // And it stays closed.
            for try await _ in listener { Issue.record("a connection of a closed listener") }
        }
    }

    @Test func closeWakesAccept() async throws {
        try await onLoop {
            let listener = try TCPListener.listen(on: anyPort)
            let task = spawn { _ = try await listener.accept() }
            await untilWaiting(1)
            listener.close()
            await expectClosed(task)
            await #expect(throws: StreamError.closed) { _ = try await listener.accept() }
            listener.close()
            #expect(engine.observers.count == 0)
        }
    }

    @Test func cancellationLosesNoConnection() async throws {
        try await onLoop {
            let listener = try TCPListener.listen(on: anyPort)
            let address = try listener.localAddress
            let task = spawn { _ = try await listener.accept() }
            await untilWaiting(1)
            let peer = try RawSocket(connectedTo: address)
            waitFor(Int(POLLIN), on: listener.descriptor.fileDescriptor)
            task.cancel()
            await expectCancelled(task)
            #expect(try await listener.accept().peerAddress == peer.localAddress)
        }
    }

    @Test func connectionsThatWaitedAreAllAccepted() async throws {
        // One event stands for all of them.
        try await onLoop {
            let listener = try TCPListener.listen(on: anyPort)
            let address = try listener.localAddress
            let first = spawn { try await listener.accept() }
            await untilWaiting(1)
            let peers = try (0..<10).map { _ in try RawSocket(connectedTo: address) }
            #expect(try await first.value.peerAddress == peers[0].localAddress)
            for peer in peers.dropFirst() {
                #expect(try await listener.accept().peerAddress == peer.localAddress)
            }
        }
    }

    @Test func fiveHundredConnectionsAtOnce() async throws {
        try await onLoop {
            let listener = try TCPListener.listen(on: anyPort)
            let address = try listener.localAddress
            let server = spawn {
                for try await stream in listener {
                    spawn {
                        let request = try await stream.readAll(8)
                        try await stream.write(request)
                    }
                }
            }
            let answers = try await gather(
                (0..<500).map { number in
                    {
                        let stream = try await TCPStream.connect(to: address)
                        let request = pattern(8, seed: UInt32(number))
                        try await stream.write(request)
                        return try await stream.readToEnd() == request
                    }
                }
            ) { try await $0() }
            #expect(answers.count == 500 && answers.allSatisfy { $0 })
            listener.close()
            try await server.value
            await until { engine.tasks.count == 0 }
        }
    }

    @Test func peerThatResetBeforeAccept() async throws {
        try await onLoop {
            let listener = try TCPListener.listen(on: anyPort)
            let address = try listener.localAddress
            try RawSocket(connectedTo: address).reset()
            let peer = try RawSocket(connectedTo: address)
            peer.send("x")
            // Linux hands out the connection that is gone; its first read tells.
            let gone = try await listener.accept()
            await #expect(throws: SystemError(call: "recv", code: ECONNRESET)) {
                try await gone.read(upTo: 1)
            }
            let stream = try await listener.accept()
            #expect(try await stream.read(upTo: 1) == Array("x".utf8))
        }
    }

    @Test(arguments: [
        ECONNABORTED, EPROTO, EPERM, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP,
        ENETUNREACH,
        EINTR,
    ])
    func connectionThatFailedIsSkipped(code: CInt) async throws {
        try await onLoop {
            let listener = try TCPListener.listen(on: anyPort)
            let address = try listener.localAddress
            let peer = try RawSocket(connectedTo: address)
            var failures = 3
            let stream = try await listener.accept { listener in
                failures -= 1
                return failures >= 0 ? -Int(code) : Reactor.accept(listener)
            }
            #expect(failures == -1)
            #expect(try stream.peerAddress == peer.localAddress)
        }
    }

    @Test(arguments: [EMFILE, ENFILE, ENOBUFS, ENOMEM])
    func exhaustionIsWaitedOut(code: CInt) async throws {
        try await onLoop {
            let listener = try TCPListener.listen(on: anyPort)
            let address = try listener.localAddress
            let peer = try RawSocket(connectedTo: address)
            var attempts: [EventLoop.Instant] = []
            let stream = try await listener.accept { listener in
                attempts.append(EventLoop.current.now)
                return attempts.count <= 3 ? -Int(code) : Reactor.accept(listener)
            }
            #expect(try stream.peerAddress == peer.localAddress)
            // It pauses instead of spinning; only the event of the registration may cut one pause short.
            #expect(attempts.count == 4)
            #expect(attempts[0].duration(to: attempts[3]) >= TCPListener.pauseWhenExhausted * 2)
        }
    }

    @Test func pauseOfExhaustionEndsWithCancellationAndClose() async throws {
        try await onLoop {
            let listener = try TCPListener.listen(on: anyPort)
            let cancelled = spawn { _ = try await listener.accept { _ in -Int(EMFILE) } }
            await until { engine.reactor.timerCount == 1 }
            cancelled.cancel()
            await expectCancelled(cancelled)
            #expect(engine.reactor.timerCount == 0)
            let closed = spawn { _ = try await listener.accept { _ in -Int(EMFILE) } }
            await until { engine.reactor.timerCount == 1 }
            listener.close()
            await expectClosed(closed)
        }
    }

    @Test func otherErrorsAreThrown() async throws {
        try await onLoop {
            let listener = try TCPListener.listen(on: anyPort)
            await #expect(throws: SystemError(call: "accept4", code: EINVAL)) {
                _ = try await listener.accept { _ in -Int(EINVAL) }
            }
        }
    }

    @Test func descriptorsRunOutForReal() async throws {
        await #expect(processExitsWith: .success) {
            try await onLoop {
                let listener = try TCPListener.listen(on: anyPort)
                let address = try listener.localAddress
                let peers = try (0..<3).map { _ in try RawSocket(connectedTo: address) }
                // No number is below this limit; what is open stays open.
                var limit = rlimit()
                getrlimit(CInt(RLIMIT_NOFILE.rawValue), &limit)
                var none = limit
                none.rlim_cur = 0
                setrlimit(CInt(RLIMIT_NOFILE.rawValue), &none)

                nonisolated(unsafe) var attempts = 0
                let server = spawn {
                    for _ in peers {
                        _ = try await listener.accept {
                            attempts += 1
                            return Reactor.accept($0)
                        }
                    }
                }
                let start = EventLoop.current.now
                while attempts < 4 { try await sleep(for: .milliseconds(5)) }
                #expect(start.duration(to: EventLoop.current.now) >= TCPListener.pauseWhenExhausted * 2)
                #expect(!server.isDone)
                setrlimit(CInt(RLIMIT_NOFILE.rawValue), &limit)
                try await server.value
                for peer in peers { peer.close() }
            }
        }
    }

    @Test func twoAcceptersTrap() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await onLoop {
                let listener = try TCPListener.listen(on: anyPort)
                spawn { _ = try await listener.accept() }
                spawn { _ = try await listener.accept() }
                await turns()
            }
        }
        expectSentence("Two tasks", in: result)
    }

    @Test(arguments: ["accept", "close", "localAddress"])
    func useFromAnotherThreadTraps(what: String) async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            [what] in
            try await onLoop {
                let listener = try TCPListener.listen(on: anyPort)
                let other = try EventLoop()
                _ = startThread {
                    try? other.run {
                        switch what {
                        case "accept": _ = try await listener.accept()
                        case "close": listener.close()
                        default: _ = try listener.localAddress
                        }
                    }
                }
                try await sleep(until: .never)
            }
        }
        expectSentence(
            what == "accept" ? "outside its event loop's thread" : "while another thread runs", in: result)
    }
}
