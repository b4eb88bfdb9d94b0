// A programmer's error ends the program with a sentence that says what to do. The functions of these names in
// the standard library are silent in release builds, so in this module these stand in their place.

@usableFromInline @inline(__always)
func precondition(
    _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String = "A bug in EventLoop.",
    file: StaticString = #fileID, line: UInt = #line
) {
    if !condition() { fatalError(message(), file: file, line: line) }
}

@usableFromInline @inline(never)
func preconditionFailure(
    _ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) -> Never {
    fatalError(message(), file: file, line: line)
}
