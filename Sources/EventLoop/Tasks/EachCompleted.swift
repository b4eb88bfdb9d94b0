// One operation for many elements, and what becomes of each as soon as it is there. The operations run as
// children of the calling task; as with gather, one thread runs them all, so their closures need not be
// Sendable.

/// Runs an operation for each element concurrently and hands each value on as soon as it is there; asyncio's
/// as_completed for coroutines.
///
///     try await asCompleted(urls, limit: 10) { url in
///         try await fetch(url)
///     } each: { url, page in
///         print(url, page.count)
///     }
///
/// The operations start at once, in the order of the elements, each running until its first suspension;
/// with a limit, that many do, and each that ends makes place for the next. `each` is called for one value
/// at a time, in the order in which they are there, in the isolation of the caller; the operations go on
/// meanwhile.
///
/// On the first error, of an operation or of `each`, the others are cancelled and awaited, and that error
/// is thrown. Cancelling the caller cancels them all, `each` is not called any more, and a
/// `CancellationError` is thrown. So nothing is left running, whatever happens. An operation's error comes in
/// its turn, after the values that were there before it.
///
/// - Parameters:
///   - limit: How many may run at once, at least 1; nil means all. As long as `each` takes its time with one
///     value, no more than that many others are started, so a slow `each` slows the operations down.
///   - each: Called with an element and what the operation returned for it.
/// - Throws: The first error of an operation or of `each`; `CancellationError`.
/// - Precondition: A loop runs on this thread.
public func asCompleted<Elements: Sequence, Value>(
    _ elements: Elements, limit: Int? = nil,
    _ operation: @escaping (Elements.Element) async throws -> Value,
    each: (Elements.Element, Value) async throws -> Void
) async throws {
    let loop = EventLoop.current(for: "asCompleted")
    let work = CompletedWork(elements, loop.confined(operation))
    try await work.run(on: loop, of: "asCompleted", limit) { element, result in
        try await each(element, result.get())
    }
}

/// Runs an operation for each element concurrently and hands on how each one ended, as soon as it has.
///
/// An operation's error cancels nobody: it is handed on. Otherwise like
/// ``asCompleted(_:limit:_:each:)``.
///
/// - Throws: The error of `each`; `CancellationError` when the caller was cancelled.
public func resultsAsCompleted<Elements: Sequence, Value>(
    _ elements: Elements, limit: Int? = nil,
    _ operation: @escaping (Elements.Element) async throws -> Value,
    each: (Elements.Element, Result<Value, any Error>) async throws -> Void
) async throws {
    let loop = EventLoop.current(for: "resultsAsCompleted")
    let work = CompletedWork(elements, loop.confined(operation))
    try await work.run(on: loop, of: "resultsAsCompleted", limit, each)
}

/// One operation for many elements.
private final class CompletedWork<Element, Value> {
    private let elements: [Element]
    private let operation: (Element) async throws -> Value
    /// Of those that have ended and have not been handed on.
    private var results: [Int: Result<Value, any Error>] = [:]

    init(_ elements: some Sequence<Element>, _ operation: @escaping (Element) async throws -> Value) {
        self.elements = Array(elements)
        self.operation = operation
    }

    func run(
        on loop: EventLoop, of caller: StaticString, _ limit: Int?,
        isolation: isolated (any Actor)? = #isolation,
        _ each: (Element, Result<Value, any Error>) async throws -> Void
    ) async throws {
        if let limit { precondition(limit > 0, "\(caller) needs a limit of at least 1.") }
        nonisolated(unsafe) let work = self
        try await loop.whereChildrenStay {
            try await withThrowingTaskGroup(of: Int.self, isolation: isolation) { group in
                // Named, so that this runs where the caller does.
                _ = isolation
                var started = 0
                func startNext() {
                    let index = started
                    started += 1
                    if loop.isObserved {
                        let child = GatheredChild(index, of: caller, on: loop)
                        group.addImmediateTask {
                            await child.run { await work.perform(index) }
                            return index
                        }
                    } else {
                        group.addImmediateTask {
                            await work.perform(index)
                            return index
                        }
                    }
                }
                while started < min(limit ?? .max, elements.count), !Task.isCancelled { startNext() }
                while let index = try await group.next() {
                    try Task.checkCancellation()
                    try await loop.engine.spendBudget()
                    if started < elements.count { startNext() }
                    try await each(elements[index], results.removeValue(forKey: index)!)
                }
                try Task.checkCancellation()
            }
        }
    }

    private func perform(_ index: Int) async {
        do { results[index] = .success(try await operation(elements[index])) } catch {
            results[index] = .failure(error)
        }
    }
}
