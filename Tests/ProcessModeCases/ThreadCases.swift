import EventLoop
import Glibc

/// Blocking work and other threads' loops, seen from the main actor.
let threadCases = [
    Case("blocking work of a main-actor task runs elsewhere, and the task goes on on the main actor") {
        var steps = 0
        try EventLoop.run {
            let thread = UInt(pthread_self())
            let other = try await toThread { UInt(pthread_self()) }
            MainActor.assertIsolated()
            steps += 1
            try check(thread != other && isOnLoop(), "elsewhere, and back")
            do {
                try await toThread { throw CaseError() }
            } catch is CaseError {
                MainActor.assertIsolated()
                steps += 1
            }
        }
        try check(steps == 2, "\(steps)")
    },
    Case("blocking work sees task-local values") {
        try EventLoop.run {
            let seen = try await Label.$text.withValue("set") { try await toThread { Label.text } }
            try check(seen == "set", seen)
        }
    },
    Case("a main-actor task whose blocking work is taken back goes on on the main actor") {
        try EventLoop.run {
            let pool = ThreadPool(size: 1)
            let (blocks, release) = (Flag(), Flag())
            let first = spawn {
                try await toThread(on: pool) {
                    blocks.raise()
                    while !release.isRaised { sched_yield() }
                }
            }
            while !blocks.isRaised { await yield() }
            var steps = 0
            let second = spawn {
                do {
                    try await toThread(on: pool) {}
                } catch {
                    MainActor.assertIsolated()
                    await yield()
                    MainActor.assertIsolated()
                    steps += 1
                    throw error
                }
            }
            while pool.queuedCount == 0 { await yield() }
            second.cancel()
            let result = await second.result
            guard case .failure(is CancellationError) = result else {
                throw Failure(description: "\(result)")
            }
            try check(steps == 1 && isOnLoop(), "\(steps) steps")
            release.raise()
            try await first.value
        }
    },
    Case("at the end, blocking work that is to be waited for is") {
        let log = Log()
        try EventLoop.run {
            let begun = Flag()
            spawn {
                try await toThread(onCancel: .wait) {
                    begun.raise()
                    while !Task.isCancelled { sched_yield() }
                    log.add("work done")
                }
                log.add("task ended")
            }
            while !begun.isRaised { await yield() }
        }
        try check(log.all == ["work done", "task ended"], "\(log.all)")
    },
    Case("blocking work that was abandoned may end after the run") {
        let (begun, release, done) = (Flag(), Flag(), Flag())
        let before = openDescriptors()
        try EventLoop.run {
            spawn {
                try await toThread {
                    begun.raise()
                    while !release.isRaised { sched_yield() }
                    done.raise()
                }
            }
            while !begun.isRaised { await yield() }
        }
        try check(!done.isRaised, "the run did not wait for it")
        release.raise()
        // The work holds the loop's descriptors until it is done.
        while openDescriptors() != before { sched_yield() }
        try check(done.isRaised, "it went on")
    },
    Case("a loop on another thread works for the main actor") {
        try EventLoop.run {
            let worker = try LoopThread()
            let loop = EventLoop.current
            let isElsewhere = try await worker.run { EventLoop.current !== loop && isOnLoop() }
            MainActor.assertIsolated()
            try check(isElsewhere && isOnLoop(), "there and back")
            let back = try await worker.run {
                try await loop.spawnThreadSafe { EventLoop.current === loop && isOnLoop() }.value
            }
            try check(back, "here, from there")
            await worker.end()
            MainActor.assertIsolated()
        }
    },
    Case("a thread waits for a task of the run, and is told when the run is over first") {
        let log = Log()
        let done = Flag()
        try EventLoop.run {
            let loop = EventLoop.current
            try await toThread {
                log.add("\(try loop.spawnThreadSafe { 5 }.wait())")
            }
            startThread {
                // Sooner or later the run is over.
                while true {
                    do {
                        try loop.spawnThreadSafe { try Task.checkCancellation() }.wait()
                    } catch let error as EventLoopError {
                        log.add("\(error == .closed)")
                        break
                    } catch {}
                }
                done.raise()
            }
        }
        while !done.isRaised { sched_yield() }
        try check(log.all == ["5", "true"], "\(log.all)")
    },
]

private enum Label {
    @TaskLocal static var text = "not set"
}
