import Testing

@Suite("Lessons: working together", .timeLimit(.minutes(5)))
struct WorkingTogetherTests {
    @Test("semaphore: two at a time, and not in batches")
    func semaphore() async throws {
        try await expectLesson(
            "semaphore",
            prints: """
                0.00 A  asks
                0.00 A  begins
                0.00 B  asks
                0.00 B  begins
                0.00 C  asks
                0.00 D  asks
                2.00 B  ends
                2.00 C  begins
                3.00 A  ends
                3.00 D  begins
                4.00 C  ends
                5.00 D  ends
                5.00 in total

                0.00 A  begins
                0.00 B  begins
                2.00 B  ends
                2.00 C  begins
                3.00 A  ends
                3.00 D  begins
                4.00 C  ends
                5.00 D  ends
                5.00 in total

                0.00 A  begins
                1.00 three at a time from now on
                1.00 B  begins
                1.00 C  begins
                3.00 A  ends
                3.00 B  ends
                3.00 C  ends
                3.00 D  begins
                5.00 D  ends
                5.00 in total
                """)
    }

    @Test("producer-consumer: never more than five, 5 s")
    func producerConsumer() async throws {
        try await expectLesson(
            "producer-consumer",
            prints: """
                0.00 put 1, 1 in store
                0.00 put 2, 2 in store
                0.00 put 3, 3 in store
                0.00 put 4, 4 in store
                0.00 put 5, 5 in store
                0.00 A  takes 1
                0.00 B  takes 2
                0.00 put 6, 4 in store
                0.00 put 7, 5 in store
                1.00 A  takes 3
                1.00 B  takes 4
                1.00 put 8, 4 in store
                1.00 put 9, 5 in store
                2.00 A  takes 5
                2.00 B  takes 6
                2.00 put 10, 4 in store
                3.00 A  takes 7
                3.00 B  takes 8
                3.00 put two sentinels
                4.00 A  takes 9
                4.00 B  takes 10
                5.00 in total

                0.00 put 1, 1 in store
                0.00 put 2, 2 in store
                0.00 put 3, 3 in store
                0.00 put 4, 4 in store
                0.00 put 5, 5 in store
                0.00 A  takes 1
                0.00 B  takes 2
                0.00 put 6, 4 in store
                0.00 put 7, 5 in store
                1.00 A  takes 3
                1.00 B  takes 4
                1.00 put 8, 4 in store
                1.00 put 9, 5 in store
                2.00 A  takes 5
                2.00 B  takes 6
                2.00 put 10, 4 in store
                2.00 shut down, with 4 in store
                3.00 A  takes 7
                3.00 B  takes 8
                4.00 A  takes 9
                4.00 B  takes 10
                5.00 in total
                """)
    }

    @Test("rate-limiting: a burst of three, then two in a second")
    func rateLimiting() async throws {
        try await expectLesson(
            "rate-limiting",
            prints: """
                0.00 request 1
                0.00 request 2
                0.00 request 3
                0.50 request 4
                1.00 request 5
                1.50 request 6
                2.00 request 7
                2.50 request 8
                2.50 in total

                1.25 request 9
                1.25 request 10
                1.50 request 11
                1.50 in total
                """)
    }

    @Test("event-condition-barrier: who waits goes on at the moment that it waits for")
    func eventConditionBarrier() async throws {
        try await expectLesson(
            "event-condition-barrier",
            prints: """
                0.00 A  comes
                0.00 B  comes
                1.00 the doors open
                1.00 A  is in
                1.00 B  is in
                2.00 C  comes
                2.00 C  is in

                0.00 customer: there are 0
                1.00 baker: one more
                1.00 customer: there are 1
                2.00 baker: one more
                2.00 customer: there are 2
                3.00 baker: one more
                3.00 customer: there are 3
                3.00 customer: I have mine

                1.00 A  has come to rest 1
                2.00 B  has come to rest 1
                3.00 C  has come to rest 1
                3.00 C  was the last: on we go
                4.00 A  has come to rest 2
                5.00 B  has come to rest 2
                6.00 C  has come to rest 2
                6.00 C  was the last: on we go
                6.00 in total
                """)
    }

    @Test("task-scope: all end before it does, and an error ends all")
    func taskScope() async throws {
        try await expectLesson(
            "task-scope",
            prints: """
                0.00 the body has ended, the scope has not
                0.00 A  begins
                0.00 B  begins
                1.00 A  ends
                1.00 C  begins
                2.00 B  ends
                3.00 C  ends
                3.00 in total

                0.00 the body  begins
                0.00 A  begins
                0.00 B  begins
                0.00 C  begins
                1.00 B  fails
                1.00 the body  is cancelled
                1.00 A  is cancelled
                1.00 C  is cancelled
                1.00 caught [error of B]
                1.00 in total

                0.00 A  begins
                1.00 A  is cancelled
                1.00 and on it goes
                1.00 in total
                """)
    }
}
