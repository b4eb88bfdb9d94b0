import Glibc

let groups = [
    DemoGroup(
        title: "First steps",
        demos: [
            Demo("headline", "blocking code against the event loop, on real sockets", .works(headline)),
            Demo("hello", "print, wait a second, print", .sleeps(hello)),
            Demo("tasks", "start tasks, await them later", .sleeps(tasks)),
            Demo("sync-async", "three waits: one after another, then at once", .sleeps(syncAsync)),
            Demo("gather", "many results, in order; errors, collected or thrown", .sleeps(gatherDemo)),
        ]),
    DemoGroup(
        title: "Sockets",
        demos: [
            Demo("fetch", "five HTTP requests: one after another, then at once", .works(fetch)),
            Demo("echo", "a TCP server and its clients in one program", .works(echo)),
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
