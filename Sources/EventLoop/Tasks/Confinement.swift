// Operations that run as children may use what is not Sendable, for one thread runs them all and their
// caller. One kind of caller shares its state with other threads all the same: an actor that does not live on
// the loop, but whose code a task of the loop's runs there. Its operations run within the actor, as if it had
// called them itself.

extension EventLoop {
    /// The operation as children may run it: as it is, or within the caller's actor, if other threads may run
    /// that one, too.
    @inlinable
    func confined<Argument, Value>(
        _ operation: @escaping (Argument) async throws -> Value, isolation: isolated (any Actor)? = #isolation
    ) -> (Argument) async throws -> Value {
        guard let isolation, livesElsewhere(isolation) else { return operation }
        return { argument in
            try await isolation.run(Unchecked(value: { try await operation(argument) })).value
        }
    }

    /// The same for an operation without an argument.
    @inlinable
    func confined<Value>(
        _ operation: @escaping () async throws -> Value, isolation: isolated (any Actor)? = #isolation
    ) -> () async throws -> Value {
        guard let isolation, livesElsewhere(isolation) else { return operation }
        return { try await isolation.run(Unchecked(value: operation)).value }
    }

    /// Whether an actor's code may run on other threads than this loop's.
    @usableFromInline
    func livesElsewhere(_ actor: any Actor) -> Bool {
        !loopSerialExecutor.is(actor.unownedExecutor) && !(isProcessWide && actor is MainActor)
    }
}

extension Actor {
    /// Runs the operation within the actor.
    @usableFromInline
    func run<Value>(_ operation: Unchecked<() async throws -> Value>) async throws -> Unchecked<Value> {
        // Also makes the task enter the actor: for a mere call of what runs where its caller does, the
        // compiler (6.3) takes that for unnecessary.
        preconditionIsolated()
        return Unchecked(value: try await operation.value())
    }
}

/// What goes into the actor that it comes from, or comes out of it.
@usableFromInline
struct Unchecked<Value>: @unchecked Sendable {
    @usableFromInline let value: Value

    @usableFromInline
    init(value: Value) {
        self.value = value
    }
}
