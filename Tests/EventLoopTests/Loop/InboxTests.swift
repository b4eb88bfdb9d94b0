import TestSupport
import Testing

@testable import EventLoop

@Suite("Inbox", .timeLimit(.minutes(5)))
struct InboxTests {
    @Test("only a loop that sleeps is to be rung for, and once")
    func bell() {
        let inbox = SharedInbox()
        #expect(!inbox.post(.nudge), "the loop is awake")
        #expect(!inbox.fallAsleep(), "something is there")
        #expect(inbox.hasMessages)
        #expect(inbox.takeAll().count == 1)
        #expect(!inbox.hasMessages)
        #expect(inbox.fallAsleep())
        #expect(inbox.post(.nudge), "the loop sleeps")
        #expect(!inbox.post(.nudge), "it has been rung for")
        inbox.wakeUp()
        #expect(inbox.hasMessages)
        #expect(inbox.takeAll().count == 2)
        #expect(inbox.fallAsleep())
        inbox.wakeUp()
        #expect(!inbox.post(.nudge), "it woke by itself")
    }

    @Test("messages come in the order in which they were left")
    func order() {
        let inbox = SharedInbox()
        for number: UInt64 in 0..<1000 { _ = inbox.post(.cancelWait(WaiterToken(rawValue: number))) }
        let tokens = inbox.takeAll().map { message in
            if case .cancelWait(let token) = message { token.rawValue } else { UInt64.max }
        }
        #expect(tokens == (0..<1000).map { $0 })
    }

    @Test("a closed inbox hands out what it has, and drops what comes later")
    func closed() {
        let inbox = SharedInbox()
        _ = inbox.post(.nudge)
        _ = inbox.post(.nudge)
        #expect(inbox.close().count == 2)
        let gone = Counter()
        do {
            let canary = Canary { gone.increment() }
            _ = inbox.post(.perform { withExtendedLifetime(canary) {} })
        }
        #expect(gone.value == 1)
        #expect(inbox.takeAll().isEmpty)
        #expect(inbox.close().isEmpty)
    }

    @Test("what threads leave at the same time is neither lost nor doubled")
    func threads() async throws {
        let inbox = SharedInbox()
        let senders = (0..<4).map { sender in
            Thread {
                for number in 0..<5000 {
                    _ = inbox.post(.cancelWait(WaiterToken(rawValue: UInt64(sender * 5000 + number))))
                }
            }
        }
        let tokens = try await onThread {
            var tokens: [UInt64] = []
            while tokens.count < 20_000 {
                guard inbox.hasMessages else { continue }
                for case .cancelWait(let token) in inbox.takeAll() { tokens.append(token.rawValue) }
            }
            return tokens
        }
        for sender in senders { try await sender.value }
        #expect(tokens.sorted() == (0..<20_000).map { $0 })
        for sender in 0..<4 {
            let own = tokens.filter { Int($0) / 5000 == sender }
            #expect(own == own.sorted())
        }
    }
}

/// What is tested is not copyable, which neither closures nor expectations can take.
private final class SharedInbox: Sendable {
    private let inbox = Inbox()

    func post(_ message: Inbox.Message) -> Bool { inbox.post(message) }
    func fallAsleep() -> Bool { inbox.fallAsleep() }
    func wakeUp() { inbox.wakeUp() }
    func takeAll() -> [Inbox.Message] { inbox.takeAll() }
    func close() -> [Inbox.Message] { inbox.close() }
    var hasMessages: Bool { inbox.hasMessages }
}
