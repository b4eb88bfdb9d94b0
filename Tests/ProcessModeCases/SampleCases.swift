import MainActorSample
import NonisolatedSample

/// Both styles of programs, as their authors would write them.
let sampleCases = [
    Case("a program on the main actor shares its state without locks") {
        let (balance, entries) = try runMainActorSample()
        try check(balance == 140 + 1000 * 7 || balance == 140 + 1000 * 6, "a balance of \(balance)")
        try check(entries == 10, "\(entries) entries")
    },
    Case("a program without isolation shares what is Sendable") {
        let total = try runNonisolatedSample()
        try check(total == 6 + 30 + 1000 + 1000, "a total of \(total)")
    },
]
