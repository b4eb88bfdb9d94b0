import CFloor

/// A measured run, in a process of its own: its CPU time and its memory are nobody else's.
enum Child {
    static let flag = "--child"

    static func arguments(_ workload: Workload, _ variant: Variant, _ conditions: Conditions) -> [String] {
        [flag, workload.name, variant.name] + conditions.arguments
    }

    static func run(_ arguments: ArraySlice<String>) throws {
        floor_end_with_parent()
        let words = Array(arguments)
        guard words.count == 2 + Conditions.argumentCount,
            let workload = allWorkloads.first(where: { $0.name == words[0] }),
            let variant = workload.variants.first(where: { $0.name == words[1] }),
            let conditions = Conditions(parsing: words[2...])
        else { throw BenchmarkError("a child process was started with arguments that it does not know") }
        if let core = conditions.loopCore {
            try check(floor_pin_to_core(core), "pin to core \(core)")
        }
        print(try variant.run(conditions).line)
    }
}
