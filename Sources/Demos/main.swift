import Glibc

let demos = [
    Demo(name: "hello", summary: "print, wait a second, print", run: .plain(hello)),
    Demo(name: "sync-async", summary: "three waits: one after another, then at once", run: .plain(syncAsync)),
    Demo(name: "tasks", summary: "start tasks, await them later", run: .plain(tasks)),
    Demo(
        name: "gather", summary: "many results, in order; errors, collected or thrown",
        run: .plain(gatherDemo)),
    Demo(name: "echo", summary: "a TCP server and its clients in one program", run: .plain(echo)),
    Demo(name: "fetch", summary: "five HTTP requests: one after another, then at once", run: .plain(fetch)),
    Demo(name: "headline", summary: "sync-async and fetch", run: .plain(headline)),
    Demo(name: "serve-echo", summary: "a server for nc", run: .onPort(serveEcho)),
    Demo(name: "serve-http", summary: "a server for curl, browsers and wrk", run: .onPort(serveHTTP)),
]

Console.flushLines()
exit(DemoCommand(demos: demos, unnamed: "headline").run(Array(CommandLine.arguments.dropFirst())))
