/// What a loop knows of one of its tasks while it lives: its place in the tree of tasks, and the wait that
/// it is in, or was in last (the token may be dead).
///
/// A task that can be cancelled through its node only needs no cancellation handlers for its waits: see
/// ``Engine/park(_:isolation:)``.
@usableFromInline
class TaskNode: @unchecked Sendable {
    let engine: Engine
    /// Counts the nodes of a loop, in the order in which they were made, from 1.
    final let id: UInt64
    /// The task that started this one, or 0. An id, so that no task keeps its parent alive.
    final let parentID: UInt64
    /// Whether nobody can cancel the task without ending its wait here.
    final let hearsOfCancellation: Bool
    /// Only the loop's thread touches it.
    final var token = WaiterToken(rawValue: 0)

    init(engine: Engine, parentID: UInt64 = 0, hearsOfCancellation: Bool = true) {
        self.engine = engine
        self.hearsOfCancellation = hearsOfCancellation
        id = engine.state.nextTaskID
        engine.state.nextTaskID += 1
        self.parentID = parentID
    }

    /// The parent of what this one spawns.
    var idAsParent: UInt64 { id }

    /// What a report calls it.
    var label: String { "task #\(id)" }

    /// Ends the wait of a task that was just cancelled. From any thread.
    final func cancelWait() {
        if engine.isOnLoopThread { engine.cancelWait(token) } else { engine.post(.cancelTask(self)) }
    }
}

extension TaskNode {
    /// The running task's node is this one from here on, until ``leave(_:)`` with what this returns.
    final func enter() -> UInt {
        let task = currentTask().address
        engine.taskIndex.insert(self, for: task)
        if engine.state.isObserved { engine.observer?.taskBegan(self) }
        return task
    }

    final func leave(_ task: UInt) {
        engine.taskIndex.remove(task)
        if engine.state.isObserved { engine.observer?.taskEnded(self) }
    }
}

extension Engine {
    /// The node of the task that runs, if it has one.
    var currentNode: TaskNode? {
        guard isOnLoopThread else { return nil }
        let task = withUnsafeCurrentTask { unsafeBitCast($0, to: UInt.self) }
        return task == 0 ? nil : taskIndex[task]
    }
}

/// Cancels a task that has not ended.
func cancelTask(at address: UInt) {
    unsafeBitCast(address, to: UnsafeCurrentTask.self).cancel()
}

/// The address of the task that runs, and whether it is cancelled.
@inline(__always)
func currentTask() -> (address: UInt, isCancelled: Bool) {
    // Not unwrapped: the standard library's type would be copied by way of the runtime.
    let address = withUnsafeCurrentTask { unsafeBitCast($0, to: UInt.self) }
    if address == 0 { preconditionFailure("Only a task can wait.") }
    return (address, Task.isCancelled)
}
