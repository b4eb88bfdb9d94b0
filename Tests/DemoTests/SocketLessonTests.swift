import Testing

@Suite("Lessons: sockets", .timeLimit(.minutes(5)))
struct SocketLessonTests {
    @Test("fetch in time lapse: the answers overlap, and the URLs are those that a reader expects")
    func fetch() async throws {
        let lines = try await linesOfLesson("fetch", "--fast")
        let timed = lines.compactMap(TimedLine.init)
        let urls = [(1, 1), (2, 2), (1, 3), (2, 4), (1, 5)].map { "/delay/\($0)?page=\($1)" }
        let starts = timed.filter { $0.text.hasSuffix("  starts") }.map(\.text)
        #expect(starts.count == 10)
        for (start, url) in zip(starts, urls + urls) { #expect(start.hasSuffix("\(url)  starts")) }
        // All requests of the second part leave before the first answer comes.
        #expect(timed.suffix(11).prefix(5).allSatisfy { $0.text.hasSuffix("  starts") })

        let totals = timed.filter { $0.text == "in total" }.map(\.seconds)
        try #require(totals.count == 2)
        #expect(totals[0] >= 7)
        #expect(totals[1] >= 2)
    }

    @Test("fetch-pages: 6.5 s in a for loop, 3 s gathered")
    func fetchPages() async throws {
        let lines = try await expectLesson(
            "fetch-pages",
            prints: """
                0.00 /bytes/52000/2  is asked for
                2.00 /bytes/52000/2  is there: 52000 bytes
                2.00 /bytes/1500/0.5  is asked for
                2.50 /bytes/1500/0.5  is there: 1500 bytes
                2.50 /bytes/310000/3  is asked for
                5.50 /bytes/310000/3  is there: 310000 bytes
                5.50 /bytes/8000/1  is asked for
                6.50 /bytes/8000/1  is there: 8000 bytes
                6.50 in total

                0.00 /bytes/52000/2  is asked for
                0.00 /bytes/1500/0.5  is asked for
                0.00 /bytes/310000/3  is asked for
                0.00 /bytes/8000/1  is asked for
                0.50 /bytes/1500/0.5  is there: 1500 bytes
                1.00 /bytes/8000/1  is there: 8000 bytes
                2.00 /bytes/52000/2  is there: 52000 bytes
                3.00 /bytes/310000/3  is there: 310000 bytes
                3.00 in total
                """)
        #expect(
            lines.filter { $0.hasPrefix("             /") }.compactMap { $0.split(separator: "  ").last } == [
                "52000 bytes", "1500 bytes", "310000 bytes", "8000 bytes",
            ])
    }

    @Test("failing-fetch: each page or what went wrong, and nobody waits for another's failure")
    func failingFetch() async throws {
        let lines = try await linesOfLesson("failing-fetch", "--fast")
        let timed = lines.compactMap(TimedLine.init).map { "\($0.stamp) \($0.text)" }
        // Two fail at once, whichever the kernel tells of first.
        #expect(
            Set(timed.prefix(2)) == [
                "0.00 /nobody/here  has failed: SystemError", "0.00 /no/such/page  has failed: BadStatus",
            ])
        #expect(
            timed.dropFirst(2) == [
                "1.00 /bytes/2000/1  is there", "2.00 /bytes/8000/2  is there",
                "3.00 /delay/60  has failed: TimeoutError", "3.00 in total",
            ])
        #expect(
            lines.filter { $0.hasPrefix("             /") }.map { $0.drop { $0 == " " } } == [
                "/bytes/2000/1  2000 bytes",
                "/no/such/page  failed: the server says 404",
                "/delay/60  failed: no answer in time",
                "/bytes/8000/2  8000 bytes",
                "/nobody/here  failed: the system says connect: Connection refused (errno 111)",
            ])
    }

    @Test("limited-fetch: never more than two under way")
    func limitedFetch() async throws {
        try await expectLesson(
            "limited-fetch",
            prints: """
                0.50 8 under way, 0 done
                1.00 in total

                0.50 2 under way, 0 done
                1.50 2 under way, 2 done
                2.50 2 under way, 4 done
                3.50 2 under way, 6 done
                4.00 in total

                0.50 2 under way, 0 done
                1.50 2 under way, 2 done
                2.50 2 under way, 4 done
                3.50 2 under way, 6 done
                4.00 in total
                """)
    }

    @Test("streams: three conversations alternate, and each client gets back what it said")
    func streams() async throws {
        try await expectLesson(
            "streams",
            prints: """
                0.00 A  got back: hello from A
                0.00 B  got back: hello from B
                0.00 C  got back: hello from C
                1.00 A  got back: again from A
                1.50 B  got back: again from B
                2.00 A  got back: goodbye from A
                2.50 C  got back: again from C
                3.00 B  got back: goodbye from B
                5.00 C  got back: goodbye from C
                7.50 the server has stopped
                7.50 in total
                """)
    }
}
