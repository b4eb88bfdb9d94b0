import Glibc

let groups = [
    DemoGroup(
        title: "First steps",
        demos: [
            Demo("headline", "blocking code against the event loop, on real sockets", .works(headline)),
            Demo("hello", "print, wait a second, print", .sleeps(hello)),
            Demo("sync-async", "three waits: one after another, then at once", .sleeps(syncAsync)),
            Demo("coroutines", "async functions: awaited one by one, then at once", .sleeps(coroutines)),
            Demo("tasks", "start tasks, await them later", .sleeps(tasks)),
            Demo("event-loop", "two tasks on one thread, taking turns", .sleeps(eventLoop)),
            Demo("futures", "a result that is set later; from callbacks to await", .sleeps(futures)),
        ]),
    DemoGroup(
        title: "Many at once, and what may go wrong",
        demos: [
            Demo("gather", "many results, in order; so many at a time", .sleeps(gatherDemo)),
            Demo("as-completed", "the fastest first", .sleeps(asCompletedDemo)),
            Demo("errors", "caught, collected, and looked at by nobody", .sleeps(errors)),
            Demo("timeouts", "a limit for what takes too long; limits in limits", .sleeps(timeouts)),
            Demo("cancellation", "asking a task to end; cleaning up", .sleeps(cancellation)),
        ]),
    DemoGroup(
        title: "Working together",
        demos: [
            Demo("semaphore", "four tasks, two at a time", .sleeps(semaphore)),
            Demo("producer-consumer", "a queue of five, two workers, and the end", .sleeps(producerConsumer)),
            Demo("rate-limiting", "a token bucket: so many in a second", .sleeps(rateLimiting)),
            Demo(
                "event-condition-barrier", "three ways to wait for each other", .sleeps(eventConditionBarrier)
            ),
            Demo("task-scope", "tasks that belong together end together", .sleeps(taskScope)),
        ]),
    DemoGroup(
        title: "Time and order",
        demos: [
            Demo("virtual-time", "a week of sleeps in a moment", .takesNoTime(virtualTime)),
            Demo("race-by-seed", "a race: found by a seed, run again, mended", .takesNoTime(raceBySeed)),
        ]),
    DemoGroup(
        title: "Sockets",
        demos: [
            Demo("fetch", "five HTTP requests: blocking, then at once", .works(fetch)),
            Demo("fetch-pages", "pages awaited in a for loop, then gathered", .sleeps(fetchPages)),
            Demo("failing-fetch", "missing pages, slow pages, and those that came", .sleeps(failingFetch)),
            Demo("limited-fetch", "eight pages, two at a time", .sleeps(limitedFetch)),
            Demo("streams", "a TCP server and its clients in one program", .sleeps(streams)),
        ]),
    DemoGroup(
        title: "Threads, cores and signals",
        demos: [
            Demo("threads", "code that blocks, awaited in threads", .works(threads)),
            Demo("cpu-bound", "computing: why async does not help, and what does", .works(cpuBound)),
            Demo("many-loops", "a loop on each core", .works(manyLoops)),
            Demo("graceful-shutdown", "Ctrl-C, clean-up, goodbye", .sleeps(gracefulShutdown)),
        ]),
    DemoGroup(
        title: "Pitfalls",
        demos: [
            Demo("blocking-the-loop", "one call stops everybody; who was it?", .works(blockingTheLoop)),
            Demo("forgotten-await", "work that nobody awaits", .sleeps(forgottenAwait)),
            Demo("lost-error", "an error that nobody looks at", .sleeps(lostError)),
            Demo("loop-in-a-loop", "a loop cannot run within a loop", .works(loopInALoop)),
        ]),
    DemoGroup(
        title: "Servers to try by hand",
        demos: [
            Demo("serve-echo", "a server for nc", .onPort(serveEcho)),
            Demo("serve-http", "a server for curl, browsers and wrk", .onPort(serveHTTP)),
        ]),
]

Console.flushLines()
exit(DemoCommand(groups: groups, unnamed: "headline").run(Array(CommandLine.arguments.dropFirst())))
