// Operations that run side by side until one of them settles the matter. They run as children of the calling
// task; as with gather, one thread runs them all, so their closures need not be Sendable.

/// Runs an operation for each element concurrently; the first that ends, with a value or an error, wins.
///
///     let reply = try await race(servers) { server in try await ask(server) }
///
/// They start at once, in the order of the elements, each running until its first suspension; when one has
/// ended by then, those after it are not started. The others are cancelled, and awaited before this returns,
/// so nothing of them is left. What a loser returns all the same, or throws, is dropped: a loser that opened
/// something closes it.
///
/// - Parameter elements: At least one.
/// - Returns: What the winner returned.
/// - Throws: What the winner threw. Cancelling the caller cancels them all: so usually that is a
///   `CancellationError` then.
/// - Precondition: A loop runs on this thread.
@discardableResult
public func race<Elements: Sequence, Value>(
    _ elements: Elements, _ operation: @escaping (Elements.Element) async throws -> Value
) async throws -> Value {
    let loop = EventLoop.current(for: "race")
    let race = Race(elements, on: loop, of: "race", loop.confined(operation)) { _ in true }
    await race.run()
    guard let winner = race.winner else { throw CancellationError() }
    return try winner.get()
}

/// Runs two operations concurrently; the first that ends wins. Otherwise like ``race(_:_:)-(Elements,_)``.
///
///     let line = try await race({ try await reader.readLine() }, { try await closing.value })
@discardableResult
public func race<Value>(
    _ first: @escaping () async throws -> Value, _ second: @escaping () async throws -> Value
) async throws -> Value {
    try await race([0, 1]) { try await $0 == 0 ? first() : second() }
}

/// Runs three operations concurrently; the first that ends wins. Otherwise like ``race(_:_:)-(Elements,_)``.
@discardableResult
public func race<Value>(
    _ first: @escaping () async throws -> Value, _ second: @escaping () async throws -> Value,
    _ third: @escaping () async throws -> Value
) async throws -> Value {
    try await race([0, 1, 2]) { try await $0 == 0 ? first() : $0 == 1 ? second() : third() }
}

/// Runs an operation for each element concurrently; the first that returns a value wins. Otherwise like
/// ``race(_:_:)-(Elements,_)``.
///
/// - Throws: ``EveryOperationFailed`` when none returned a value; `CancellationError` when the caller was
///   cancelled by then.
@discardableResult
public func firstSuccess<Elements: Sequence, Value>(
    _ elements: Elements, _ operation: @escaping (Elements.Element) async throws -> Value
) async throws -> Value {
    let loop = EventLoop.current(for: "firstSuccess")
    let race = Race(elements, on: loop, of: "firstSuccess", loop.confined(operation)) { result in
        if case .success = result { true } else { false }
    }
    await race.run()
    if let winner = race.winner { return try winner.get() }
    try Task.checkCancellation()
    throw EveryOperationFailed(errors: race.errors.compactMap { $0 })
}

/// None of the operations of ``firstSuccess(_:_:)`` returned a value.
public struct EveryOperationFailed: Error, CustomStringConvertible {
    /// What they threw, in the order of the elements; at least one.
    public let errors: [any Error]

    public var description: String {
        "All of \(errors.count) operations failed: " + errors.map { "\($0)" }.joined(separator: "; ")
    }
}

private final class Race<Element, Value> {
    private let loop: EventLoop
    private let caller: StaticString
    private let elements: [Element]
    private let operation: (Element) async throws -> Value
    private let wins: (Result<Value, any Error>) -> Bool
    private(set) var winner: Result<Value, any Error>?
    /// What those threw that did not win, by their positions.
    private(set) var errors: [(any Error)?]

    init(
        _ elements: some Sequence<Element>, on loop: EventLoop, of caller: StaticString,
        _ operation: @escaping (Element) async throws -> Value,
        wins: @escaping (Result<Value, any Error>) -> Bool
    ) {
        self.loop = loop
        self.caller = caller
        self.elements = Array(elements)
        precondition(!self.elements.isEmpty, "\(caller) needs at least one operation.")
        self.operation = operation
        self.wins = wins
        errors = Array(repeating: nil, count: self.elements.count)
    }

    func run(isolation: isolated (any Actor)? = #isolation) async {
        nonisolated(unsafe) let race = self
        await loop.whereChildrenStay {
            await withTaskGroup(of: Void.self, isolation: isolation) { group in
                // Named, so that this runs where the caller does.
                _ = isolation
                for index in race.elements.indices where race.winner == nil && !group.isCancelled {
                    if race.loop.isObserved {
                        let child = GatheredChild(index, of: race.caller, on: race.loop)
                        group.addImmediateTask { await child.run { await race.compete(index) } }
                    } else {
                        group.addImmediateTask { await race.compete(index) }
                    }
                }
                while race.winner == nil, await group.next() != nil {}
                group.cancelAll()
            }
        }
    }

    private func compete(_ index: Int) async {
        let result: Result<Value, any Error>
        do { result = .success(try await operation(elements[index])) } catch { result = .failure(error) }
        guard winner == nil else { return }
        if wins(result) { winner = result }
        if case .failure(let error) = result { errors[index] = error }
    }
}
