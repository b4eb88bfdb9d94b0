// Futures that are made of others. For code that passes futures around; where there is a task, `await` says
// the same and reads better.
//
// What they have in common: everything happens on the loop, a turn after what it depends on, so that no chain
// of closures recurses. A future that was cancelled cancels those made of it. To cancel one that was made of
// others removes it from them and leaves them alone. An error that is passed on counts as looked at.

extension Future {
    /// A future of this future's value, transformed. An error, also one that `transform` throws, is passed
    /// on.
    public func map<NewValue>(_ transform: @escaping (Value) throws -> NewValue) -> Future<NewValue> {
        derive { result, derived in
            derived.settle(with: Result { try transform(result.get()) })
        }
    }

    /// A future of what the future that `transform` returns will have. An error is passed on.
    ///
    /// - Parameter transform: Returns a future of the same loop.
    public func flatMap<NewValue>(
        _ transform: @escaping (Value) throws -> Future<NewValue>
    ) -> Future<NewValue> {
        derive { result, derived in
            do { try transform(result.get()).pass(to: derived) } catch {
                derived.settle(with: .failure(error))
            }
        }
    }

    /// A future of this future's value, or of what `replacement` makes of its error: a value, or by throwing,
    /// another error. A cancellation is passed on.
    public func recover(_ replacement: @escaping (any Error) throws -> Value) -> Future<Value> {
        derive { result, derived in
            derived.settle(
                with: result.flatMapError { error in Result { try replacement(error) } })
        }
    }

    /// A future of this future's value and another's, or of the first error.
    ///
    /// - Precondition: Both belong to the same loop.
    public func and<Other>(_ other: Future<Other>) -> Future<(Value, Other)> {
        let both = Future<(Value, Other)>(engine: engine, fileID: fileID, line: line)
        var (first, second): (Value?, Other?)
        func settle() {
            if let first, let second { both.settle(with: .success((first, second))) }
        }
        func markAll() {
            markRetrieved()
            other.markRetrieved()
        }
        both.listen(
            through: [
                contribute(to: both, markAll) {
                    first = $0
                    settle()
                },
                other.contribute(to: both, markAll) {
                    second = $0
                    settle()
                },
            ])
        return both
    }

    /// A future of all the futures' values, in their order, or of the first error. The errors that come later
    /// count as looked at (asyncio's gather). Of no futures it is done at once.
    ///
    /// - Precondition: All belong to the same loop; without any, a loop runs on this thread.
    public static func whenAll(
        _ futures: some Sequence<Future>, fileID: String = #fileID, line: UInt = #line
    ) -> Future<[Value]> {
        let futures = Array(futures)
        let all = Future<[Value]>(engine: engine(of: futures, "whenAll"), fileID: fileID, line: line)
        var values = [Value?](repeating: nil, count: futures.count)
        var missing = futures.count
        if missing == 0 { all.settle(with: .success([])) }
        all.listen(
            through: futures.enumerated().map { index, future in
                future.contribute(to: all, { markAll(futures) }) { value in
                    values[index] = value
                    missing -= 1
                    if missing == 0 { all.settle(with: .success(values.map { $0! })) }
                }
            })
        return all
    }

    /// A future of how all the futures ended, in their order; it never fails. Of no futures it is done at
    /// once.
    ///
    /// - Precondition: All belong to the same loop; without any, a loop runs on this thread.
    public static func whenAllResults(
        _ futures: some Sequence<Future>, fileID: String = #fileID, line: UInt = #line
    ) -> Future<[Result<Value, any Error>]> {
        let futures = Array(futures)
        let all = Future<[Result<Value, any Error>]>(
            engine: engine(of: futures, "whenAllResults"), fileID: fileID, line: line)
        var missing = futures.count
        if missing == 0 { all.settle(with: .success([])) }
        all.listen(
            through: futures.map { future in
                future.assertIsOn(all.engine)
                return future.addDoneCallback { _ in
                    missing -= 1
                    if missing == 0 { all.settle(with: .success(futures.map { $0.result! })) }
                }
            })
        return all
    }

    /// A future of how the first of the futures ends. The errors of those that end later count as looked at.
    ///
    /// - Precondition: There is at least one, and all belong to the same loop.
    public static func whenAny(
        _ futures: some Sequence<Future>, fileID: String = #fileID, line: UInt = #line
    ) -> Future<Value> {
        let futures = Array(futures)
        precondition(!futures.isEmpty, "Future.whenAny needs at least one future.")
        let any = Future<Value>(engine: engine(of: futures, "whenAny"), fileID: fileID, line: line)
        any.listen(
            through: futures.map { future in
                future.contribute(to: any, { markAll(futures) }) { any.settle(with: .success($0)) }
            })
        return any
    }
}

extension Future {
    /// A future that is settled a turn after this one by `step`; a cancellation is passed on without it.
    private func derive<NewValue>(
        _ step: @escaping (Result<Value, any Error>, Future<NewValue>) -> Void
    ) -> Future<NewValue> {
        let derived = Future<NewValue>(engine: engine, fileID: fileID, line: line)
        derived.listen(
            through: [
                addDoneCallback { result in
                    if self.isCancelled {
                        derived.cancel()
                    } else {
                        step(result, derived)
                    }
                }
            ])
        return derived
    }

    private func pass(to derived: Future) {
        assertIsOn(derived.engine)
        derived.listen(
            through: [
                addDoneCallback { derived.settle(with: $0, isCancelled: self.isCancelled) }
            ])
    }

    /// Passes an error on to `whole`, and the value to `add`; and when `whole` is done by that, calls
    /// `markAll`: of several that fail, one tells.
    private func contribute<Whole>(
        to whole: Future<Whole>, _ markAll: @escaping () -> Void, _ add: @escaping (Value) -> Void
    ) -> ScheduledCall {
        assertIsOn(whole.engine)
        return addDoneCallback { result in
            switch result {
            case .success(let value): add(value)
            case .failure(let error): whole.settle(with: .failure(error), isCancelled: self.isCancelled)
            }
            if whole.isDone { markAll() }
        }
    }

    private static func markAll(_ futures: [Future]) {
        for future in futures { future.markRetrieved() }
    }

    private func assertIsOn(_ engine: Engine) {
        precondition(
            engine === self.engine,
            "A future cannot be combined with one of another event loop: hand its result over instead.")
    }

    private static func engine(of futures: [Future], _ caller: String) -> Engine {
        futures.first?.engine ?? EventLoop.current(for: "Future.\(caller)").engine
    }
}
