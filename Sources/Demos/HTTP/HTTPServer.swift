import EventLoop

/// An HTTP/1.1 server for ``HTTPRoute``'s paths: GET and HEAD, keep-alive, pipelining.
func httpServer(port: Int) throws -> Server {
    let date = HTTPDate()
    return try Server(port: port) { stream, server in
        HTTPConnection(stream, server: server, date: date)
    }
}
