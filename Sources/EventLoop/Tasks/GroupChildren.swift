// Task groups whose children stay on the loop, and whose bodies stay with their caller.
//
// In process mode every task stays on the loop; otherwise a child inherits its parent's executor
// preference. But a parent that is on the loop because its actor lives there may have none: its children
// would go on, on threads of the runtime's, where nothing of the loop may be touched. And a group's body
// would leave the actor, unless it uses the isolation that is named.

/// Runs the children that `add` adds until all have ended, or one has failed and the others have ended.
@inlinable
func withThrowingChildren(
    isolation: isolated (any Actor)? = #isolation,
    add: (inout ThrowingDiscardingTaskGroup<any Error>) -> Void
) async throws {
    try await withThrowingDiscardingTaskGroup(isolation: isolation) { group in
        _ = isolation
        add(&group)
    }
}

/// Runs the children that `add` adds until all have ended.
@inlinable
func withChildren(
    isolation: isolated (any Actor)? = #isolation, add: (inout DiscardingTaskGroup) -> Void
) async {
    await withDiscardingTaskGroup(isolation: isolation) { group in
        _ = isolation
        add(&group)
    }
}

extension EventLoop {
    /// What the running task's children are to be told to prefer; nil when they stay on this loop anyway.
    @usableFromInline
    var childrensExecutor: (any TaskExecutor)? {
        if isProcessWide { return nil }
        let inherited = withUnsafeCurrentTask { $0?.unownedTaskExecutor }
        return inherited == taskExecutor.asUnownedTaskExecutor() ? nil : taskExecutor
    }
}

// Not simply with a preference that may be nil: the runtime would look for it at each switch, under a lock.

extension TaskGroup {
    mutating func addChild(
        preferring executor: (any TaskExecutor)?,
        _ operation: sending @escaping @isolated(any) () async -> ChildTaskResult
    ) {
        if let executor {
            addImmediateTask(executorPreference: executor, operation: operation)
        } else {
            addImmediateTask(operation: operation)
        }
    }
}

extension ThrowingTaskGroup where Failure == any Error {
    mutating func addChild(
        preferring executor: (any TaskExecutor)?,
        _ operation: sending @escaping @isolated(any) () async throws -> ChildTaskResult
    ) {
        if let executor {
            addImmediateTask(executorPreference: executor, operation: operation)
        } else {
            addImmediateTask(operation: operation)
        }
    }
}

extension DiscardingTaskGroup {
    @inlinable
    mutating func addChild(
        preferring executor: (any TaskExecutor)?,
        _ operation: sending @escaping @isolated(any) () async -> Void
    ) {
        if let executor {
            addImmediateTask(executorPreference: executor, operation: operation)
        } else {
            addImmediateTask(operation: operation)
        }
    }
}

extension ThrowingDiscardingTaskGroup where Failure == any Error {
    @inlinable
    mutating func addChild(
        preferring executor: (any TaskExecutor)?,
        _ operation: sending @escaping @isolated(any) () async throws -> Void
    ) {
        if let executor {
            addImmediateTask(executorPreference: executor, operation: operation)
        } else {
            addImmediateTask(operation: operation)
        }
    }
}
