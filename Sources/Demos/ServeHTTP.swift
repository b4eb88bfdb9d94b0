// Lesson: one thread can serve thousands of connections.
//
// A task for each connection, straight-line code in each task, and one loop under all of them. Try it with
// `curl -v http://127.0.0.1:PORT/delay/1`, or `wrk -t1 -c200 -d10s http://127.0.0.1:PORT/`.

@MainActor
func serveHTTP(port: Int) throws {
    try serveUntilSignal("Requests answered") { try httpServer(port: port) }
}
