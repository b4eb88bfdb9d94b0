import TestSupport
import Testing

@testable import EventLoop

@Suite("Channel", .timeLimit(.minutes(5)))
struct ChannelTests {
    // MARK: - Rendezvous

    @Test("without a capacity a send returns when a receiver has taken the element, not before")
    func rendezvous() async throws {
        try await onLoop { _ in
            let channel = Channel<Int>()
            #expect(channel.capacity == 0)
            let sender = spawn { try await channel.send(1) }
            await turns(3)
            #expect(!sender.isDone && channel.count == 0)
            let element = try await channel.receive()
            #expect(element == 1)
            try await sender.value
        }
    }

    @Test("a receiver that waits gets the element at once")
    func receiverFirst() async throws {
        try await onLoop { _ in
            let channel = Channel<Int>()
            let receiver = spawn { try await channel.receive() }
            await turns(2)
            try await channel.send(1)
            // Nobody else can take it.
            #expect(try channel.tryReceive() == nil)
            let element = try await receiver.value
            #expect(element == 1)
        }
    }

    @Test("senders and receivers meet in the order in which they came")
    func order() async throws {
        try await onLoop { _ in
            let channel = Channel<Int>()
            for number in 0..<50 { spawn { try await channel.send(number) } }
            await turns(2)
            for number in 0..<50 {
                let element = try await channel.receive()
                #expect(element == number)
            }
            let got = Recorder<[Int]>()
            for number in 0..<50 { spawn { got.add([number, try await channel.receive() ?? -1]) } }
            await turns(2)
            for number in 0..<50 { try await channel.send(number) }
            await turns(2)
            #expect(got.all == (0..<50).map { [$0, $0] })
        }
    }

    @Test("the element of a sender that was cancelled is not received, and is let go")
    func cancelledSender() async throws {
        try await onLoop { _ in
            let alive = Counter()
            let channel = Channel<Tracked>()
            let first = spawn { try await channel.send(Tracked(alive)) }
            let second = spawn { try await channel.send(Tracked(alive)) }
            await turns(2)
            first.cancel()
            let element = try channel.tryReceive()
            #expect(element != nil)
            #expect(try channel.tryReceive() == nil)
            await #expect(throws: CancellationError.self) { try await first.value }
            try await second.value
            #expect(alive.value == 1)
            withExtendedLifetime(element) {}
        }
    }

    @Test("a receiver that was cancelled leaves the element to the next; one that was served first keeps it")
    func cancelledReceiver() async throws {
        try await onLoop { _ in
            let channel = Channel<Int>()
            let first = spawn { try await channel.receive() }
            let second = spawn { try await channel.receive() }
            await turns(2)
            first.cancel()
            #expect(try channel.trySend(1))
            second.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
            let element = try await second.value
            #expect(element == 1)
        }
    }

    @Test("trySend sends only to a receiver that waits, tryReceive only takes what is there")
    func withoutWaiting() async throws {
        try await onLoop { _ in
            let channel = Channel<Int>()
            #expect(try !channel.trySend(1))
            #expect(try channel.tryReceive() == nil)
            let receiver = spawn { try await channel.receive() }
            await turns(2)
            #expect(try channel.trySend(2))
            #expect(try !channel.trySend(3))
            let element = try await receiver.value
            #expect(element == 2)
            let sender = spawn { try await channel.send(4) }
            await turns(2)
            #expect(try channel.tryReceive() == 4)
            #expect(try channel.tryReceive() == nil)
            try await sender.value
        }
    }

    // MARK: - With a capacity

    @Test("with a capacity that many sends do not wait")
    func capacity() async throws {
        try await onLoop { _ in
            let channel = Channel<Int>(capacity: 2)
            try await channel.send(1)
            #expect(try channel.trySend(2))
            #expect(try !channel.trySend(3))
            #expect(channel.count == 2)
            let sender = spawn { try await channel.send(3) }
            await turns(2)
            #expect(!sender.isDone)
            #expect(try channel.tryReceive() == 1)
            #expect(channel.count == 2)
            try await sender.value
            #expect(try channel.tryReceive() == 2)
            #expect(try channel.tryReceive() == 3)
        }
    }

    // MARK: - The end

    @Test("after finish receivers get what lies there, then nil")
    func finish() async throws {
        try await onLoop { _ in
            let channel = Channel<Int>(capacity: 3)
            try await channel.send(1)
            try await channel.send(2)
            #expect(!channel.isFinished)
            channel.finish()
            channel.finish(throwing: TestError("too late"))
            #expect(channel.isFinished)
            await #expect(throws: ChannelFinished()) { try await channel.send(3) }
            #expect(throws: ChannelFinished()) { try channel.trySend(3) }
            let elements = [
                try await channel.receive(), try channel.tryReceive(), try channel.tryReceive(),
                try await channel.receive(),
            ]
            #expect(elements == [1, 2, nil, nil])
        }
    }

    @Test("after finish(throwing:) every receiver gets the error, when the elements are gone")
    func finishThrowing() async throws {
        try await onLoop { _ in
            let channel = Channel<Int>(capacity: 1)
            try await channel.send(1)
            channel.finish(throwing: TestError("over"))
            let element = try await channel.receive()
            #expect(element == 1)
            for _ in 0..<2 {
                await #expect(throws: TestError("over")) { try await channel.receive() }
                #expect(throws: TestError("over")) { try channel.tryReceive() }
            }
        }
    }

    @Test("finish ends the wait of every receiver")
    func finishWakesReceivers() async throws {
        try await onLoop { _ in
            for error in [nil, TestError("over")] {
                let channel = Channel<Int>()
                let receivers = (0..<3).map { _ in spawn { try await channel.receive() } }
                await turns(2)
                if let error { channel.finish(throwing: error) } else { channel.finish() }
                for receiver in receivers {
                    switch await receiver.result {
                    case .success(let element): #expect(element == nil && error == nil)
                    case .failure(let thrown): #expect(thrown as? TestError == error)
                    }
                }
            }
        }
    }

    @Test("finish ends the wait of every sender, and its element is not sent")
    func finishWakesSenders() async throws {
        try await onLoop { _ in
            let channel = Channel<Int>(capacity: 1)
            for number in 0..<1 { try await channel.send(number) }
            let senders = (1...3).map { number in spawn { try await channel.send(number) } }
            await turns(2)
            channel.finish()
            #expect(try channel.tryReceive() == 0)
            #expect(try channel.tryReceive() == nil)
            for sender in senders { await #expect(throws: ChannelFinished()) { try await sender.value } }
        }
    }

    @Test("an element that was handed over before finish arrives")
    func finishAfterHandOver() async throws {
        try await onLoop { _ in
            let channel = Channel<Int>()
            let receiver = spawn { try await channel.receive() }
            await turns(2)
            #expect(try channel.trySend(1))
            channel.finish()
            let element = try await receiver.value
            #expect(element == 1)
        }
    }

    // MARK: - Iteration

    @Test("iteration goes on until the end")
    func iteration() async throws {
        try await onLoop { _ in
            for capacity in [0, 1, 7] {
                let channel = Channel<Int>(capacity: capacity)
                spawn {
                    for number in 0..<100 { try await channel.send(number) }
                    channel.finish()
                }
                var elements: [Int] = []
                for try await element in channel { elements.append(element) }
                #expect(elements == (0..<100).map { $0 })
            }
        }
    }

    @Test("iteration throws the error that the channel was finished with")
    func iterationThrows() async throws {
        try await onLoop { _ in
            let channel = Channel<Int>()
            spawn {
                try await channel.send(1)
                channel.finish(throwing: TestError("over"))
            }
            var elements: [Int] = []
            await #expect(throws: TestError("over")) {
                for try await element in channel { elements.append(element) }
            }
            #expect(elements == [1])
        }
    }

    @Test("several senders, several receivers: each element goes to one of them")
    func manyToMany() async throws {
        try await onLoop { _ in
            let channel = Channel<Int>()
            let got = Recorder<Int>()
            let receivers = (0..<3).map { _ in spawn { for try await element in channel { got.add(element) } }
            }
            let senders = (0..<3).map { start in
                spawn { for number in 0..<40 { try await channel.send(start * 100 + number) } }
            }
            for sender in senders { try await sender.value }
            channel.finish()
            for receiver in receivers { try await receiver.value }
            let sent = [0..<40, 100..<140, 200..<240].flatMap { $0.map { $0 } }
            #expect(got.all.sorted() == sent)
        }
    }

    // MARK: - Traps

    @Test("a channel outside a loop traps with a sentence")
    func outside() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            _ = Channel<Int>()
        }
        #expect(result.sentence.contains("Channel() was called outside a running event loop"))
    }

    @Test("a negative capacity traps with a sentence")
    func negativeCapacity() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try EventLoop().runBody { _ = Channel<Int>(capacity: -1) }
        }
        #expect(result.sentence.contains("A channel's capacity is a number of elements"))
    }

    @Test("use on a wrong thread traps with a sentence")
    func wrongThread() async throws {
        let result = try await #require(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            try await onLoop { _ in
                let channel = Channel<Int>(capacity: 1)
                try await onThread { _ = try channel.trySend(1) }
            }
        }
        #expect(result.sentence.contains("Channel.trySend was called while another thread runs"))
    }
}
