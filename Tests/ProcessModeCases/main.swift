import Glibc

// Without arguments: lists the cases. With a name: runs that one, and prints what was wrong.
// Those that end their process by a signal are not listed: their tests know what is to come of them.
let cases =
    runCases + onTheLoopCases + endCases + threadCases + signalCases + syncCases + sampleCases
    + debugCases + traceCases + guideCases + virtualTimeCases
guard CommandLine.arguments.count > 1 else {
    for one in cases { print(one.name) }
    exit(0)
}
guard let one = (cases + interruptCases).first(where: { $0.name == CommandLine.arguments[1] }) else {
    print("There is no case \(CommandLine.arguments[1]).")
    exit(2)
}
do {
    try one.body()
} catch {
    print("\(one.name): \(error)")
    exit(1)
}
