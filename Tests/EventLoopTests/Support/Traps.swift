import Testing

extension ExitTest.Result {
    /// What the process that trapped left on standard error.
    var sentence: String { String(decoding: standardErrorContent, as: UTF8.self) }
}
