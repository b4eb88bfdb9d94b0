// Code of the guide: TCP connections, over loopback.

import EventLoop
import Testing

@Suite("In the guide: streams", .timeLimit(.minutes(5)))
struct StreamSnippets {
    @Test("a server answers each of its clients")
    func server() throws {
        let loop = try EventLoop()
        let log = Log()
        try loop.run {
            let listener = try TCPListener.listen(on: SocketAddress(ip: "127.0.0.1", port: 0))
            let port = try listener.localAddress.port
            // snippet.start_server
            let server = spawn {
                for try await stream in listener {
                    spawn { try await echo(stream) }
                }
            }
            // snippet.end
            // snippet.open_connection
            let stream = try await TCPStream.connect(host: "127.0.0.1", port: port)
            // snippet.end
            // snippet.get_extra_info
            let peer = try stream.peerAddress
            // snippet.end
            #expect(peer.port == port)
            // snippet.StreamReader
            let reader = BufferedReader(stream)
            // snippet.end
            // snippet.StreamWriter.write
            try await stream.write("hello\n")
            // snippet.end
            // snippet.readline
            let line = try await reader.readLine()
            // snippet.end
            log.add(line ?? "nothing")
            // snippet.write_eof
            try stream.shutdownWrite()
            // snippet.end
            // snippet.read_to_end
            let rest = try await reader.readToEnd()
            // snippet.end
            #expect(rest.isEmpty)
            // snippet.StreamWriter.close
            stream.close()
            // snippet.end
            // snippet.Server.close
            listener.close()
            // snippet.end
            try await server.value
        }
        try loop.close()
        #expect(log.lines == ["hello"])
    }

    @Test("a reader reads exact counts, up to a delimiter, and what is there")
    func reader() throws {
        let loop = try EventLoop()
        try loop.run {
            let listener = try TCPListener.listen(on: SocketAddress(ip: "127.0.0.1", port: 0))
            let stream = try await TCPStream.connect(to: listener.localAddress)
            let peer = try await listener.accept()
            try await peer.write("abcdefgh;ij")
            peer.close()
            let reader = BufferedReader(stream)
            // snippet.readexactly
            let header = try await reader.read(exactly: 4)
            // snippet.end
            // snippet.readuntil
            let field = try await reader.read(until: [UInt8(ascii: ";")], limit: 1024)
            // snippet.end
            // snippet.read
            let some = try await reader.read(upTo: 1)
            // snippet.end
            #expect(header == Array("abcd".utf8) && field == Array("efgh;".utf8) && some == Array("i".utf8))
            await #expect(throws: StreamError.unexpectedEnd(partial: Array("j".utf8))) {
                try await reader.read(exactly: 4)
            }
            stream.close()
            listener.close()
        }
        try loop.close()
    }

    @Test("names are looked up")
    func addresses() throws {
        let loop = try EventLoop()
        try loop.run {
            // snippet.getaddrinfo
            let addresses = try await SocketAddress.resolve(host: "127.0.0.1", port: 80)
            // snippet.end
            #expect(addresses.map(\.description) == ["127.0.0.1:80"])
        }
        try loop.close()
    }
}

// snippet.echo
func echo(_ stream: TCPStream) async throws {
    defer { stream.close() }
    let reader = BufferedReader(stream)
    while let line = try await reader.readLine() {
        try await stream.write(line + "\n")
    }
}
// snippet.end
