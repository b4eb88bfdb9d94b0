import MainActorSample
import NonisolatedSample

/// Both styles of programs, as their authors would write them.
let sampleCases = [
    Case("a program on the main actor shares its state without locks") {
        let (balance, entries) = try runMainActorSample()
        try check(balance == 140 + 1000 * 7 || balance == 140 + 1000 * 6, "a balance of \(balance)")
        try check(entries == 10, "\(entries) entries")
    },
    Case("a program on the main actor puts operations together, and shares its state with them") {
        let log = try runCombinations()
        let expected = [
            "fetched 1", "got 1", "fetched 2", "got 2", "fetched 1", "result 1", "fetched 1", "race 1",
            "fetched 1", "race of two 1", "fetched 1", "first 1", "fetched 1", "shielded 1", "fetched 1",
            "task 1", "fetched 2", "task 2", "waited for 2", "start", "map", "sum 3",
        ]
        try check(log == expected, "\(log)")
    },
    Case("a program without isolation shares what is Sendable") {
        let total = try runNonisolatedSample()
        try check(total == 6 + 30 + 1000 + 1000, "a total of \(total)")
    },
]
