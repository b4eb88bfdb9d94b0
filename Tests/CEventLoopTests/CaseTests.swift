import CEventLoopCases
import Testing

/// The rules of the C reactor. Each case runs in a process of its own: it changes signal masks and limits,
/// and counts descriptors, which other tests of this process would disturb.
@Suite("CEventLoop", .serialized)
struct CaseTests {
    @Test("Rule", arguments: Case.all)
    func rule(_ rule: Case) {
        let (passed, output) = rule.runApart()
        #expect(passed, "\(output)")
    }
}

struct Case: Sendable, CustomTestStringConvertible {
    let index: CInt

    static let all = (0..<el_case_count()).map(Case.init)

    var testDescription: String { String(cString: el_case_name(index)) }

    func runApart() -> (passed: Bool, output: String) {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16384) { buffer in
            let passed = el_case_run_apart(index, buffer.baseAddress, buffer.count)
            return (passed, String(cString: buffer.baseAddress!))
        }
    }
}
