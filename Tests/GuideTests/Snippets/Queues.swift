// Code of the guide: queues, channels and broadcasts.

import EventLoop
import Testing

@Suite("In the guide: queues", .timeLimit(.minutes(5)))
struct QueueSnippets {
    @Test("workers take jobs from a queue until it is shut down")
    func workers() throws {
        try virtually {
            let log = Log()
            let jobs = ["A", "B", "C", "D"]
            // snippet.Queue
            let queue = Queue<String>(maxSize: 10)
            for _ in 0..<2 {
                spawn {
                    for try await job in queue {
                        log.add(try await fetch(job))
                        queue.taskDone()
                    }
                }
            }
            for job in jobs { try await queue.put(job) }
            try await queue.join()
            queue.shutdown()
            // snippet.end
            #expect(log.lines == ["A done", "B done", "C done", "D done"])
            #expect(EventLoop.current.now.nanoseconds == 2_000_000_000)
        }
    }

    @Test("items can be put and taken, with and without waiting")
    func putAndGet() throws {
        try virtually {
            // snippet.Queue.init
            let queue = Queue<String>(maxSize: 2)
            // snippet.end
            let item = "A"
            // snippet.put
            try await queue.put(item)
            // snippet.end
            // snippet.put_nowait
            try queue.putNoWait(item)
            // snippet.end
            #expect(throws: QueueFull()) { try queue.putNoWait(item) }
            // snippet.qsize
            let count = queue.count
            // snippet.end
            // snippet.empty
            let isEmpty = queue.isEmpty
            // snippet.end
            // snippet.full
            let isFull = queue.isFull
            // snippet.end
            #expect(count == 2 && !isEmpty && isFull)
            // snippet.get
            let first = try await queue.get()
            // snippet.end
            // snippet.get_nowait
            let second = try queue.getNoWait()
            // snippet.end
            #expect(first == "A" && second == "A")
            #expect(throws: QueueEmpty()) { try queue.getNoWait() }
            // snippet.task_done
            queue.taskDone()
            // snippet.end
            queue.taskDone()
            // snippet.join
            try await queue.join()
            // snippet.end
            // snippet.shutdown
            queue.shutdown()
            // snippet.end
            // snippet.shutdown_immediate
            queue.shutdown(immediate: true)
            // snippet.end
            await #expect(throws: QueueShutDown()) { try await queue.get() }
        }
    }

    @Test("queues of other orders")
    func orders() throws {
        try virtually {
            // snippet.LifoQueue
            let stack = LIFOQueue<String>()
            // snippet.end
            // snippet.PriorityQueue
            let heap = PriorityQueue<Int>()
            // snippet.end
            // snippet.PriorityQueue.by
            let jobs = PriorityQueue<(rank: Int, name: String)>(by: { $0.rank < $1.rank })
            // snippet.end
            for item in [2, 1] {
                try stack.putNoWait("\(item)")
                try heap.putNoWait(item)
                try jobs.putNoWait((item, "job \(item)"))
            }
            #expect(try stack.getNoWait() == "1")
            #expect(try heap.getNoWait() == 1)
            #expect(try jobs.getNoWait().name == "job 1")
        }
    }

    @Test("a channel has an end, and a broadcast is for everybody")
    func others() throws {
        try virtually {
            let log = Log()
            // snippet.Channel
            let channel = Channel<String>()
            spawn {
                try await channel.send("A")
                channel.finish()
            }
            for try await element in channel { log.add(element) }
            // snippet.end
            // snippet.Broadcast
            let prices = Broadcast<Int>()
            let subscription = prices.subscribe(buffer: 1, whenFull: .dropOldest)
            try await prices.send(41)
            try await prices.send(42)
            // snippet.end
            log.add("\(try await subscription.next() ?? 0)")
            #expect(log.lines == ["A", "42"] && subscription.missed == 1)
        }
    }
}
