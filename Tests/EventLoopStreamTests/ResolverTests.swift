import Glibc
import TestSupport
import Testing

@testable import EventLoop

struct ResolverTests {
    @Test(arguments: ["127.0.0.1", "::1", "fe80::1%1"])
    func numericAddressNeedsNoThread(host: String) async throws {
        try await onLoop {
            // A task that is cancelled cannot wait, so this did not.
            let task = spawn { try await SocketAddress.resolve(host: host, port: 80) }
            task.cancel()
            let addresses = try await task.value
            #expect(try addresses == [SocketAddress(ip: host, port: 80)])
        }
    }

    @Test func nameIsLookedUp() async throws {
        try await onLoop {
            let addresses = try await SocketAddress.resolve(host: "localhost", port: 80)
            #expect(!addresses.isEmpty)
            #expect(Set(addresses).count == addresses.count)
            for address in addresses {
                #expect(address.port == 80)
                #expect(address.ip == "::1" || address.ip.hasPrefix("127."))
            }
        }
    }

    @Test func manyLookupsAtOnce() async throws {
        try await onLoop {
            let all = try await gather(
                (0..<50).map { port in
                    { try await SocketAddress.resolve(host: "localhost", port: port) }
                }
            ) { try await $0() }
            #expect(all.allSatisfy { !$0.isEmpty })
            #expect(
                all.enumerated().allSatisfy { port, addresses in addresses.allSatisfy { $0.port == port } })
        }
    }

    @Test func loopTurnsMeanwhile() async throws {
        try await onLoop {
            let task = spawn { try await SocketAddress.resolve(host: "localhost", port: 80) }
            await untilWaiting(1)
            var turned = false
            EventLoop.current.callSoon { turned = true }
            await until { turned }
            _ = try await task.value
        }
    }

    @Test func cancelledLookupEndsAtOnce() async throws {
        try await onLoop {
            for _ in 0..<20 {
                let task = spawn { try await SocketAddress.resolve(host: "localhost", port: 80) }
                await untilWaiting(1)
                task.cancel()
                // Nothing here waits for the thread, whose answer finds nobody.
                #expect(await task.result.isCancelledOrSuccess)
            }
        }
    }

    @Test func cancelledTaskStartsNoLookup() async throws {
        try await onLoop {
            let task = spawn { try await SocketAddress.resolve(host: "localhost", port: 80) }
            task.cancel()
            await expectCancelled(task)
        }
    }

    @Test func loopMayEndBeforeItsLookup() async throws {
        try await onOwnThread {
            for _ in 0..<20 {
                var loop: EventLoop? = try EventLoop()
                weak let engine = loop!.engine
                try loop!.run {
                    let task = spawn { try await SocketAddress.resolve(host: "localhost", port: 80) }
                    await untilWaiting(1)
                    task.cancel()
                    _ = await task.result
                }
                loop = nil
                // The answer lies in the inbox of an engine that nobody runs any more, and does not hold it.
                while engine != nil { sched_yield() }
            }
        }
    }

    @Test func slowLookupsHoldUpNoOtherWork() async throws {
        try await onLoop {
            let gate = Gate()
            let pool = ThreadPool(size: 2)
            let resolver = Resolver(pool: pool) { _, _ in
                gate.pass()
                return []
            }
            let lookups = (0..<3).map { _ in spawn { try await resolver.resolve(host: "slow", port: 80) } }
            await until { gate.arrivals == 2 && pool.queuedCount == 1 }
            try await toThread {}
            // Those that are given up make room for the one behind them as soon as they end, and not before.
            lookups[0].cancel()
            await expectCancelled(lookups[0])
            #expect(pool.queuedCount == 1)
            gate.open()
            for lookup in lookups[1...] { _ = try await lookup.value }
        }
    }

    @Test func lookupsHaveThreadsOfTheirOwn() async throws {
        #expect(Resolver.system.pool !== ThreadPool.shared)
        #expect(Resolver.system.pool.size == 8)
    }

    @Test func otherWorkHoldsUpNoLookup() async throws {
        // The pool is the process's.
        await #expect(processExitsWith: .success) {
            try await onLoop {
                let gate = Gate()
                let count = ThreadPool.shared.size
                // No thread is left, and more work waits.
                let works = (0..<count + 1).map { _ in spawn { try await toThread { gate.pass() } } }
                await until { gate.arrivals == count }
                let addresses = try await SocketAddress.resolve(host: "localhost", port: 80)
                #expect(!addresses.isEmpty)
                gate.open()
                for work in works { try await work.value }
            }
        }
    }

    @Test(arguments: ["", "no..such..host.invalid", "a host name with spaces"])
    func unknownHost(host: String) async throws {
        try await onLoop {
            let error = await #expect(throws: StreamError.self) {
                _ = try await SocketAddress.resolve(host: host, port: 80)
            }
            guard case .unknownHost(host, let reason) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(!reason.isEmpty)
        }
    }

    @Test func hostWithANulIsInvalid() async throws {
        try await onLoop {
            for host in ["localhost\0.example", "127.0.0.1\0.example", "\0"] {
                await #expect(throws: StreamError.invalidAddress("a host name with a NUL")) {
                    _ = try await SocketAddress.resolve(host: host, port: 80)
                }
            }
        }
    }

    @Test(arguments: [-1, 65536])
    func badPort(port: Int) async throws {
        try await onLoop {
            await #expect(throws: StreamError.invalidAddress("port \(port) is not in 0 … 65535")) {
                _ = try await SocketAddress.resolve(host: "127.0.0.1", port: port)
            }
        }
    }

    @Test(.enabled(if: !isSanitized, "Sanitizers need address space themselves."))
    func threadThatCannotBeStartedIsAnError() async throws {
        await #expect(processExitsWith: .success) {
            try await onLoop {
                // No address space for another stack.
                var limit = rlimit()
                getrlimit(CInt(RLIMIT_AS.rawValue), &limit)
                var none = limit
                none.rlim_cur = 1
                setrlimit(CInt(RLIMIT_AS.rawValue), &none)
                defer { setrlimit(CInt(RLIMIT_AS.rawValue), &limit) }
                var code: CInt = 0
                do {
                    _ = try await SocketAddress.resolve(host: "localhost", port: 80)
                } catch let error as SystemError where error.call == "pthread_create" {
                    code = error.code
                }
                setrlimit(CInt(RLIMIT_AS.rawValue), &limit)
                #expect(code == EAGAIN)
            }
        }
    }
}

extension Result {
    /// A lookup may have been quicker than its cancellation.
    var isCancelledOrSuccess: Bool {
        switch self {
        case .success: true
        case .failure(let error): error is CancellationError
        }
    }
}
