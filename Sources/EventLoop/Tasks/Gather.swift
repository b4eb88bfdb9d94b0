// Gathered operations run as children of the calling task on the calling task's loop. Their closures need
// not be Sendable: one thread runs them all, so they may share what the caller can use. That is what the
// unchecked boxes here stand for; `withChildren` makes sure of that.

/// Runs operations of different types concurrently and returns their values as a tuple, in their order.
///
/// They start at once, in their order, each running until its first suspension. On the first error the
/// others are cancelled and awaited, and that error is thrown. (asyncio's gather would let them run on; use
/// ``gatherResults(_:)`` to let all of them end.) Cancelling the caller cancels them all.
///
/// - Precondition: A loop runs on this thread.
@discardableResult
public func gather<each Value>(
    _ operations: repeat @escaping () async throws -> each Value
) async throws -> (repeat each Value) {
    let loop = currentLoop("gather")
    let slots = (repeat ResultSlot(loop.confined(each operations)))
    try await withThrowingChildren(on: loop) { group in
        var index = 0
        for slot in repeat each slots {
            guard !group.isCancelled else { break }
            nonisolated(unsafe) let slot = slot
            if loop.isObserved {
                let child = GatheredChild(index, on: loop)
                group.addImmediateTask { try await child.run { try await slot.runOrThrow() } }
            } else {
                group.addImmediateTask { try await slot.runOrThrow() }
            }
            index += 1
        }
    }
    return (repeat try (each slots).value())
}

/// Runs operations of different types concurrently and returns how each one ended, in their order.
///
/// No error cancels the others; asyncio's gather with return_exceptions. Cancelling the caller cancels
/// them all, and they are awaited.
///
/// - Precondition: A loop runs on this thread.
@discardableResult
public func gatherResults<each Value>(
    _ operations: repeat @escaping () async throws -> each Value
) async -> (repeat Result<each Value, any Error>) {
    let loop = currentLoop("gatherResults")
    let slots = (repeat ResultSlot(loop.confined(each operations)))
    await withChildren(on: loop) { group in
        var index = 0
        for slot in repeat each slots {
            nonisolated(unsafe) let slot = slot
            if loop.isObserved {
                let child = GatheredChild(index, on: loop)
                group.addImmediateTask { await child.run { await slot.run() } }
            } else {
                group.addImmediateTask { await slot.run() }
            }
            index += 1
        }
    }
    return (repeat (each slots).result!)
}

/// Runs an operation for each element concurrently and returns the values in the order of the elements.
///
///     let pages = try await gather(urls, limit: 10) { url in try await fetch(url) }
///
/// They start at once, in their order, each running until its first suspension; with a limit, that many
/// do, and each that ends makes place for the next. On the first error the others are cancelled and
/// awaited, those that had to wait are not started, and that error is thrown. Cancelling the caller
/// cancels them all. No elements give an empty array.
///
/// - Parameters:
///   - limit: How many may run at once, at least 1; nil means all.
///   - operation: Called on the loop's thread, which the elements and their operations may share state on.
/// - Precondition: A loop runs on this thread.
@discardableResult
@inlinable
public func gather<Elements: Sequence, Value>(
    _ elements: Elements, limit: Int? = nil,
    _ operation: @escaping (Elements.Element) async throws -> Value
) async throws -> [Value] {
    let loop = currentLoop("gather")
    let work = GatheredWork(elements, loop.confined(operation))
    try await withThrowingChildren(on: loop) { group in
        nonisolated(unsafe) let work = work
        let lanes = work.laneCount(limit)
        for index in 0..<lanes {
            guard !group.isCancelled else { break }
            if loop.isObserved {
                let child = GatheredChild(index, on: loop, isLane: lanes < work.elements.count)
                group.addImmediateTask { try await child.run { try await work.runLaneOrThrow() } }
            } else if lanes == work.elements.count {
                // A lane of its own for each, and the less in its frame, the less memory for each.
                group.addImmediateTask {
                    work.results[index] = .success(try await work.operation(work.elements[index]))
                }
            } else {
                group.addImmediateTask { try await work.runLaneOrThrow() }
            }
        }
    }
    return try work.results.map { try $0.get() }
}

/// Runs an operation for each element concurrently and returns how each one ended, in the order of the
/// elements. No error cancels the others. Otherwise like ``gather(_:limit:_:)``.
///
/// When the caller is cancelled, so are all that run; those that had to wait for the limit are not
/// started and end with a `CancellationError`.
@discardableResult
@inlinable
public func gatherResults<Elements: Sequence, Value>(
    _ elements: Elements, limit: Int? = nil,
    _ operation: @escaping (Elements.Element) async throws -> Value
) async -> [Result<Value, any Error>] {
    let loop = currentLoop("gatherResults")
    let work = GatheredWork(elements, loop.confined(operation))
    await withChildren(on: loop) { group in
        nonisolated(unsafe) let work = work
        let lanes = work.laneCount(limit)
        for index in 0..<lanes {
            if loop.isObserved {
                let child = GatheredChild(index, on: loop, isLane: lanes < work.elements.count)
                group.addImmediateTask { await child.run { await work.runLane() } }
            } else {
                group.addImmediateTask { await work.runLane() }
            }
        }
    }
    return work.results
}

/// One operation and how it ended.
final class ResultSlot<Value> {
    private let operation: () async throws -> Value
    private(set) var result: Result<Value, any Error>?

    init(_ operation: @escaping () async throws -> Value) {
        self.operation = operation
    }

    func run() async {
        do { result = .success(try await operation()) } catch { result = .failure(error) }
    }

    func runOrThrow() async throws {
        result = .success(try await operation())
    }

    /// The value of an operation that ran to its end; the group was cancelled before the others.
    func value() throws -> Value {
        guard let result else { throw CancellationError() }
        return try result.get()
    }
}

/// One operation for many elements, which lanes that run side by side take one after another.
@usableFromInline
final class GatheredWork<Element, Value> {
    @usableFromInline let elements: [Element]
    @usableFromInline let operation: (Element) async throws -> Value
    @usableFromInline var next = 0
    /// What was not started has ended by cancellation.
    @usableFromInline var results: [Result<Value, any Error>]

    @inlinable
    init(_ elements: some Sequence<Element>, _ operation: @escaping (Element) async throws -> Value) {
        self.elements = Array(elements)
        self.operation = operation
        results = Array(repeating: .failure(CancellationError()), count: self.elements.count)
    }

    @inlinable func laneCount(_ limit: Int?) -> Int {
        if let limit { precondition(limit > 0, "gather needs a limit of at least 1.") }
        return min(limit ?? .max, elements.count)
    }

    @inlinable func runLaneOrThrow() async throws {
        while !Task.isCancelled, let index = takeNext() {
            results[index] = .success(try await operation(elements[index]))
        }
    }

    /// A cancelled lane takes nothing more; without a limit each has taken what is its own by then.
    @inlinable func runLane() async {
        while let index = takeNext() {
            do {
                results[index] = .success(try await operation(elements[index]))
            } catch {
                results[index] = .failure(error)
            }
            if Task.isCancelled { return }
        }
    }

    @inlinable func takeNext() -> Int? {
        guard next < elements.count else { return nil }
        defer { next += 1 }
        return next
    }
}
