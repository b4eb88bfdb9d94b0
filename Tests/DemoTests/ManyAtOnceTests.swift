import Testing

@Suite("Lessons: many at once", .timeLimit(.minutes(5)))
struct ManyAtOnceTests {
    @Test("gather: results in the order of the operations")
    func gather() async throws {
        try await expectLesson(
            "gather",
            prints: """
                1.00 text is there
                2.00 42 is there
                2.00 returned 42 and text
                2.00 in total

                1.00 1 is there
                2.00 4 is there
                3.00 9 is there
                3.00 returned [9, 1, 4]
                3.00 in total

                1.00 B is there
                2.00 C is there
                3.00 A is there
                3.00 D is there
                3.00 returned ["A", "B", "C", "D"]
                3.00 in total
                """)
    }

    @Test("as-completed: the fastest first")
    func asCompleted() async throws {
        try await expectLesson(
            "as-completed",
            prints: """
                1.00 comments are loaded
                2.00 users are loaded
                3.00 posts are loaded
                3.00 show: 20 users, 30 posts, 10 comments
                3.00 in total

                1.00 comments are loaded
                1.00 show: 10 comments, of the task comments
                2.00 users are loaded
                2.00 show: 20 users, of the task users
                3.00 posts are loaded
                3.00 show: 30 posts, of the task posts
                3.00 in total

                1.00 comments are loaded
                1.00 show: 10 comments
                2.00 users are loaded
                2.00 show: 20 users
                2.50 time is up
                2.50 in total

                1.00 comments are loaded
                1.00 show: 10 comments
                2.00 users are loaded
                2.00 show: 20 users
                2.50 time is up, and nothing is left
                2.50 in total
                """)
    }

    @Test("errors: kept by their task, thrown, collected, reported")
    func errors() async throws {
        try await expectLesson(
            "errors",
            prints: """
                1.00 operation 1 fails
                2.00 main: I have not noticed; now I await the task
                2.00 main: caught an error in operation 1

                1.00 operation 1 ends
                2.00 operation 2 fails
                2.00 operation 3 is cancelled
                2.00 main: caught an error in operation 2

                1.00 operation 1 ends
                2.00 operation 2 fails
                3.00 operation 3 ends
                3.00 main: got result 1
                3.00 main: got an error in operation 2
                3.00 main: got result 3

                1.00 operation 1 fails
                1.00 handler: nobody looked at forgotten: an error in operation 1
                2.00 main: I go on
                """)
    }

    @Test("timeouts: the limit that is over is the one that is told")
    func timeouts() async throws {
        try await expectLesson(
            "timeouts",
            prints: """
                0.00 a call of 5 s: the connection opens
                2.00 a call of 5 s: the connection is closed
                2.00 the call: TimeoutError
                2.00 in total

                0.00 a call of 5 s: the connection opens
                2.00 a call of 5 s: the connection is closed
                3.00 the call: TimeoutError
                3.00 in total

                0.00 a call of 1 s: the connection opens
                1.00 a call of 1 s: the connection is closed
                1.00 the call: an answer after 1 s
                1.00 in total

                0.00 a call of 3 s: the connection opens
                1.00 a call of 3 s: the connection is closed
                1.00 the call: TimeoutError
                1.00 a call of 2 s: the connection opens
                3.00 a call of 2 s: the connection is closed
                3.00 all of it: an answer after 2 s
                3.00 in total

                0.00 a call of 3 s: the connection opens
                2.00 a call of 3 s: the connection is closed
                2.00 the inner limit passes on: CancellationError
                2.00 all of it: TimeoutError
                2.00 in total
                """)
    }

    @Test("cancellation: asked once, cleaned up, and still cancelled")
    func cancellation() async throws {
        try await expectLesson(
            "cancellation",
            prints: """
                0.00 sleeper  begins
                1.00 sleeper  is asked to end
                1.00 sleeper  is cut short
                1.00 sleeper  has ended with a CancellationError

                0.00 step 1  begins
                1.00 stubborn  is asked to end
                1.00 step 1  is cut short
                1.00 stubborn  catches it, and goes on
                1.00 step 2  begins
                1.00 step 2  is cut short
                1.00 stubborn  has ended with a CancellationError

                0.00 polite  begins
                1.00 polite  is asked to end
                1.00 polite  is cut short
                1.00 goodbye  begins
                3.00 goodbye  ends
                3.00 polite  has ended with a CancellationError
                3.00 in total

                0.00 saving  begins
                1.00 impatient  is asked to end
                1.00 impatient  has ended with a CancellationError
                3.00 saving  ends
                3.00 in total

                0.00 A  begins
                0.00 B  begins
                1.00 family  is asked to end
                1.00 A  is cut short
                1.00 B  is cut short
                1.00 family  has ended with a CancellationError
                """)
    }
}
