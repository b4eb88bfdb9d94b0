// Task groups whose children stay on the loop, and whose bodies stay with their caller.
//
// In process mode every task stays on the loop; otherwise a child inherits its parent's executor
// preference. But a parent that is on the loop because its actor lives there may have none: its children
// would go on, on threads of the runtime's, where nothing of the loop may be touched. And a group's body
// would leave the actor, unless it uses the isolation that is named.

/// Runs the children that `add` adds until all have ended, or one has failed and the others have ended.
@inlinable
func withThrowingChildren(
    on loop: EventLoop, isolation: isolated (any Actor)? = #isolation,
    add: (inout ThrowingDiscardingTaskGroup<any Error>) -> Void
) async throws {
    try await loop.whereChildrenStay {
        try await withThrowingDiscardingTaskGroup(isolation: isolation) { group in
            _ = isolation
            add(&group)
        }
    }
}

/// Runs the children that `add` adds until all have ended.
@inlinable
func withChildren(
    on loop: EventLoop, isolation: isolated (any Actor)? = #isolation,
    add: (inout DiscardingTaskGroup) -> Void
) async {
    await loop.whereChildrenStay {
        await withDiscardingTaskGroup(isolation: isolation) { group in
            _ = isolation
            add(&group)
        }
    }
}

extension EventLoop {
    /// Runs `body`, whose children prefer the loop's executor. That costs nothing where they do anyway.
    @inlinable
    func whereChildrenStay(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Void
    ) async rethrows {
        if childrenStay { return try await body() }
        try await withTaskExecutorPreference(executor, isolation: isolation) {
            _ = isolation
            try await body()
        }
    }

    /// Whether children of the running task stay on this loop of themselves.
    @usableFromInline
    var childrenStay: Bool {
        if isProcessWide { return true }
        let preference = withUnsafeCurrentTask { $0?.unownedTaskExecutor }
        return preference == taskExecutor.asUnownedTaskExecutor()
    }
}
