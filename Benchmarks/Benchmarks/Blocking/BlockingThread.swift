import Glibc

/// A thread as a program would start one for a blocking call.
final class BlockingThread {
    private final class Start {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private var identifier = pthread_t()

    init(_ body: @escaping @Sendable () -> Void) throws {
        let start = Unmanaged.passRetained(Start(body))
        let result = pthread_create(
            &identifier,
            nil,
            { argument in
                Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue().body()
                return nil
            },
            start.toOpaque()
        )
        if result != 0 {
            start.release()
            throw BenchmarkError("cannot start a thread: \(errorText(result))")
        }
    }

    func join() { pthread_join(identifier, nil) }

    /// Runs the body once for each element, each time on a thread of its own, and waits for all.
    static func forEach<Element: Sendable>(
        _ elements: some Sequence<Element>, _ body: @escaping @Sendable (Element) -> Void
    ) throws {
        var threads: [BlockingThread] = []
        defer { threads.forEach { $0.join() } }
        for element in elements { threads.append(try BlockingThread { body(element) }) }
    }
}
