import CFloor

/// One program in three parts: the harness, which the user starts; the child, which the harness starts for
/// each measured run; and the helper, which a child starts as the other end of its connections.
@main
enum Benchmarks {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        do {
            switch arguments.first {
            case Child.flag: try Child.run(arguments.dropFirst())
            case Helper.flag: try Helper.run(arguments.dropFirst())
            default: Harness.run(Options(parsing: arguments))
            }
        } catch {
            exitWith(error)
        }
    }
}
