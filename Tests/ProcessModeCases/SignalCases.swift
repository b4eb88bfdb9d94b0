import EventLoop
import Glibc

/// These end their process by SIGINT.
let interruptCases = [
    Case("interrupt: cleans up") {
        try EventLoop.run {
            spawn {
                do { try await sleep(until: .never) } catch { print("task: \(error)") }
            }
            await yield()
            raise(SIGINT)
            do {
                try await sleep(until: .never)
            } catch {
                print("main: \(error)")
                for _ in 0..<3 { await yield() }
                print("main cleaned up")
                throw error
            }
        }
        print("not reached")
    },
    Case("interrupt: stuck") {
        try EventLoop.run {
            _ = write(STDOUT_FILENO, "stuck\n", 6)
            raise(SIGINT)
            raise(SIGINT)
            while true { pause() }
        }
    },
]

let signalCases = [
    Case("SIGINT: a body that catches its cancellation has its value returned, and SIGINT acts as before") {
        let value = try EventLoop.run {
            raise(SIGINT)
            do { try await sleep(until: .never) } catch {}
            return 5
        }
        try check(value == 5, "\(value)")
        var action = sigaction()
        sigaction(SIGINT, nil, &action)
        try check(action.__sigaction_handler.sa_handler == nil, "SIGINT still has a handler")
    },
    Case("SIGINT from another process wakes a loop that waits") {
        let ended = try EventLoop.run {
            let child = try spawnKill(SIGINT)
            do { try await sleep(until: .never) } catch {}
            waitpid(child, nil, 0)
            return Task.isCancelled
        }
        try check(ended, "not cancelled")
    },
    Case("SIGINT: a program's own handler stays") {
        signal(SIGINT) { _ in }
        try EventLoop.run {
            raise(SIGINT)
            raise(SIGINT)
            try await sleep(for: .milliseconds(1))
        }
        var action = sigaction()
        sigaction(SIGINT, nil, &action)
        try check(action.__sigaction_handler.sa_handler != nil, "the handler is gone")
    },
    Case("SIGINT: a handler that the program sets during the run stays") {
        try EventLoop.run {
            signal(SIGINT) { _ in }
            raise(SIGINT)
            try await sleep(for: .milliseconds(1))
        }
        var action = sigaction()
        sigaction(SIGINT, nil, &action)
        try check(action.__sigaction_handler.sa_handler != nil, "the handler is gone")
    },
    Case("SIGINT: Signals has it while it listens") {
        try EventLoop.run {
            let signals = try Signals([SIGINT])
            raise(SIGINT)
            for try await number in signals {
                try check(number == SIGINT, "\(number)")
                break
            }
            try Task.checkCancellation()
            signals.close()
        }
    },
    Case("signals arrive in their order through for try await") {
        try EventLoop.run {
            let signals = try Signals([SIGUSR1, SIGUSR2])
            let sent = [SIGUSR1, SIGUSR2, SIGUSR2, SIGUSR1]
            let sender = spawn {
                for number in sent {
                    raise(number)
                    // Equal signals that are pending at the same time are one signal.
                    try await sleep(for: .milliseconds(1))
                }
            }
            var received: [CInt] = []
            for try await number in signals {
                received.append(number)
                if received.count == sent.count { break }
            }
            try check(received == sent, "\(received)")
            try await sender.value
        }
    },
    Case("signals that arrive while nobody iterates are kept") {
        try EventLoop.run {
            let signals = try Signals([SIGUSR1, SIGUSR2])
            raise(SIGUSR1)
            try await sleep(for: .milliseconds(1))
            raise(SIGUSR2)
            try await sleep(for: .milliseconds(1))
            let iterator = signals.makeAsyncIterator()
            var numbers: [CInt] = []
            for _ in 0..<2 {
                var next = iterator
                if let number = try await next.next() { numbers.append(number) }
            }
            try check(numbers == [SIGUSR1, SIGUSR2], "\(numbers)")
        }
    },
    Case("a signal from another process arrives") {
        try EventLoop.run {
            let signals = try Signals([SIGTERM])
            let child = try spawnKill(SIGTERM)
            for try await number in signals {
                try check(number == SIGTERM, "\(number)")
                break
            }
            waitpid(child, nil, 0)
        }
    },
    Case("close ends the iteration of signals that waits") {
        try EventLoop.run {
            let signals = try Signals([SIGUSR1])
            EventLoop.current.callSoon { signals.close() }
            for try await _ in signals { throw Failure(description: "no signal was sent") }
            signals.close()
            for try await _ in signals { throw Failure(description: "it is closed") }
        }
    },
    Case("close gives the former signal mask back") {
        try EventLoop.run {
            try check(!isBlocked(SIGUSR1), "not blocked before")
            let signals = try Signals([SIGUSR1])
            try check(isBlocked(SIGUSR1), "blocked meanwhile")
            signals.close()
            try check(!isBlocked(SIGUSR1), "not blocked afterwards")
            block(SIGUSR2)
            try Signals([SIGUSR2]).close()
            try check(isBlocked(SIGUSR2), "blocked afterwards as before")
        }
    },
    Case("the last reference to signals gives the former mask back") {
        try EventLoop.run {
            do {
                let signals = try Signals([SIGUSR1])
                try check(isBlocked(SIGUSR1), "blocked meanwhile")
                _ = signals
            }
            try check(!isBlocked(SIGUSR1), "not blocked afterwards")
            _ = try Signals([SIGUSR1])
        }
    },
    Case("the end of the run gives the former signal mask back") {
        let before = openDescriptors()
        var kept: Signals?
        try EventLoop.run {
            kept = try Signals([SIGUSR1])
            try check(isBlocked(SIGUSR1), "blocked meanwhile")
        }
        try check(!isBlocked(SIGUSR1), "not blocked afterwards")
        try check(kept != nil, "it is still there")
        kept = nil
        try check(openDescriptors() == before, "no descriptor left")
    },
    Case("a task that waits for signals is cancelled at once, and the signal is for the next") {
        try EventLoop.run {
            let signals = try Signals([SIGUSR1])
            let waiting = Task { try await nextSignal(of: signals) }
            await yield()
            await yield()
            waiting.cancel()
            guard case .failure(is CancellationError) = await waiting.result else {
                throw Failure(description: "not cancelled")
            }
            raise(SIGUSR1)
            try check(try await nextSignal(of: signals) == SIGUSR1, "the next gets it")
        }
    },
    Case("a signal cannot be listened for twice on a loop, and the failure undoes itself") {
        try EventLoop.run {
            let first = try Signals([SIGUSR1])
            do {
                _ = try Signals([SIGUSR2, SIGUSR1])
                throw Failure(description: "it was added twice")
            } catch let error as SystemError {
                try check(error.code == EEXIST, "\(error)")
            }
            try check(!isBlocked(SIGUSR2), "the other is as before")
            try check(isBlocked(SIGUSR1), "the first goes on")
            raise(SIGUSR1)
            try check(try await nextSignal(of: first) == SIGUSR1, "the first gets it")
        }
    },
    Case("a signal that cannot be caught is an error") {
        try EventLoop.run {
            for number in [SIGKILL, SIGSTOP, 0, -1, 1000] {
                do {
                    _ = try Signals([number])
                    throw Failure(description: "\(number) was added")
                } catch let error as SystemError {
                    try check(error.code == EINVAL, "\(error)")
                }
            }
        }
    },
]

private func nextSignal(of signals: Signals) async throws -> CInt? {
    var iterator = signals.makeAsyncIterator()
    return try await iterator.next()
}

private func isBlocked(_ number: CInt) -> Bool {
    var mask = sigset_t()
    pthread_sigmask(SIG_BLOCK, nil, &mask)
    return sigismember(&mask, number) == 1
}

private func block(_ number: CInt) {
    var mask = sigset_t()
    sigemptyset(&mask)
    sigaddset(&mask, number)
    pthread_sigmask(SIG_BLOCK, &mask, nil)
}

private func spawnKill(_ number: CInt) throws -> pid_t {
    var child = pid_t()
    let words = ["sh", "-c", "kill -\(number) \(getpid())"]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    arguments.append(nil)
    defer { for argument in arguments { free(argument) } }
    let result = posix_spawn(&child, "/bin/sh", nil, nil, &arguments, environ)
    if result != 0 { throw SystemError(call: "posix_spawn", code: result) }
    return child
}
