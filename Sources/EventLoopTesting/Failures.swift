import Synchronization
import Testing

/// Whether a test has failed so far.
final class FailureCount: Sendable {
    private let hasFailed = Atomic(false)

    func add(_ issue: Issue) {
        if issue.isFailure { hasFailed.store(true, ordering: .relaxed) }
    }

    var any: Bool { hasFailed.load(ordering: .relaxed) }
}

extension Issue {
    /// This issue, which also says how to have it again.
    func with(seed: UInt64) -> Issue {
        var issue = self
        issue.comments.append("With seed \(seed): to have it again, write .virtualTime(seed: \(seed)).")
        return issue
    }
}
