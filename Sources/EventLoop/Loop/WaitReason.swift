/// What a task waits for, in the words of a dump of the tasks.
enum WaitReason: Equatable, CustomStringConvertible {
    case timer
    case future
    case task
    case children
    case scopedTasks
    case lock
    case event
    case condition
    case permit
    case barrier
    case item
    case space
    case finishedItems
    case thread
    case lookup
    case signal
    case quiet
    case readable(CInt)
    case writable(CInt)

    var description: String {
        switch self {
        case .timer: "a timer"
        case .future: "a future"
        case .task: "a task"
        case .children: "its child tasks"
        case .scopedTasks: "the tasks of its scope"
        case .lock: "a lock"
        case .event: "an event"
        case .condition: "a condition"
        case .permit: "a permit"
        case .barrier: "a barrier"
        case .item: "an item of a queue"
        case .space: "space in a queue"
        case .finishedItems: "a queue's items to be done"
        case .thread: "blocking work on a thread"
        case .lookup: "a host's addresses"
        case .signal: "a signal"
        case .quiet: "all other tasks to be blocked"
        case .readable(let descriptor): "descriptor \(descriptor) to be readable"
        case .writable(let descriptor): "descriptor \(descriptor) to be writable"
        }
    }
}
