import Glibc
import Testing

@testable import EventLoop

struct SocketAddressTests {
    @Test(arguments: [
        ("127.0.0.1", 80, "127.0.0.1:80"),
        ("0.0.0.0", 0, "0.0.0.0:0"),
        ("255.255.255.255", 65535, "255.255.255.255:65535"),
        ("::1", 80, "[::1]:80"),
        ("::", 1, "[::]:1"),
        ("2001:DB8:0:0:0:0:0:1", 443, "[2001:db8::1]:443"),
        ("::ffff:127.0.0.1", 80, "[::ffff:127.0.0.1]:80"),
        ("fe80::1%7", 80, "[fe80::1%7]:80"),
        (
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295", 80,
            "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:80"
        ),
    ])
    func readsAndPrints(ip: String, port: Int, description: String) throws {
        let address = try SocketAddress(ip: ip, port: port)
        #expect(address.description == description)
        #expect(address.port == port)
        // What is printed can be read again.
        #expect(try SocketAddress(ip: address.ip, port: port) == address)
    }

    @Test func scopeByInterfaceName() throws {
        let index = if_nametoindex("lo")
        try #require(index != 0)
        #expect(try SocketAddress(ip: "fe80::1%lo", port: 1).ip == "fe80::1%\(index)")
    }

    @Test(arguments: [
        "", "localhost", "127.0.0", "127.0.0.256", "127.1", "0x7f000001", " 127.0.0.1", "127.0.0.1 ",
        "127.0.0.1\0",
        "127.0.0.1\0.example", "::1\0", "127.0.0.1%lo", ":::", "1::2::3", "[::1]", "::1%", "%", "%::1", "%1",
        "::1%0", "::1%no-such-interface", "::1%4294967296", "::1%1%2", "::1%lo\0", "12345::",
    ])
    func invalidAddressIsRefused(ip: String) {
        #expect(throws: StreamError.invalidAddress("\"\(ip)\" is not an IPv4 or IPv6 address")) {
            try SocketAddress(ip: ip, port: 80)
        }
    }

    @Test(arguments: [-1, 65536, .min, .max])
    func invalidPortIsRefused(port: Int) {
        #expect(throws: StreamError.invalidAddress("port \(port) is not in 0 … 65535")) {
            try SocketAddress(ip: "127.0.0.1", port: port)
        }
    }

    @Test func equalityAndHash() throws {
        let texts = [
            "127.0.0.1", "127.0.0.2", "::1", "::2", "1::", "::ffff:127.0.0.1", "fe80::1%1", "fe80::1%2",
            "fe80::1",
        ]
        var set: Set<SocketAddress> = []
        for text in texts {
            for port in [1, 2, 256] {
                let address = try SocketAddress(ip: text, port: port)
                #expect(set.insert(address).inserted)
                let again = try SocketAddress(ip: text, port: port)
                #expect(!set.insert(again).inserted)
            }
        }
        #expect(set.count == 27)
        let spelledOut = try SocketAddress(ip: "0:0:0:0:0:0:0:1", port: 1)
        #expect(set.contains(spelledOut))
    }

    @Test(arguments: ["1.2.3.4", "::1", "2001:db8:1:2:3:4:5:6", "fe80::1%7"])
    func surviveTheKernelsForm(ip: String) throws {
        for port in [0, 1, 80, 256, 65535] {
            let address = try SocketAddress(ip: ip, port: port)
            let family = address.withSockaddr { pointer, _ in CInt(pointer.pointee.sa_family) }
            #expect(family == address.family)
            #expect(address.withSockaddr { pointer, _ in SocketAddress(pointer) } == address)
        }
    }

    @Test func survivesTheKernel() throws {
        let socket = try RawSocket(boundTo: SocketAddress(ip: "127.0.0.42", port: 0))
        let address = try socket.localAddress
        #expect(address.ip == "127.0.0.42")
        #expect(address.port > 0)
        #expect(throws: SystemError(call: "getpeername", code: ENOTCONN)) {
            try SocketAddress(asking: getpeername, named: "getpeername", of: socket.fileDescriptor)
        }
    }

    @Test func addressOfAnotherFamilyIsNone() throws {
        var other = sockaddr()
        other.sa_family = sa_family_t(AF_UNIX)
        #expect(SocketAddress(&other) == nil)
        var sockets: [CInt] = [0, 0]
        try #require(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &sockets) == 0)
        defer { for socket in sockets { close(socket) } }
        #expect(throws: SystemError(call: "getsockname", code: EAFNOSUPPORT)) {
            try SocketAddress(asking: getsockname, named: "getsockname", of: sockets[0])
        }
    }
}
