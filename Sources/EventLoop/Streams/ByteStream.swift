/// Bytes in both directions: what a buffered reader reads from, and what protocols are written against.
///
/// Bound to its loop's thread.
public protocol ByteStream: AnyObject {
    /// Reads at least one byte into the caller's buffer, as soon as there is one.
    ///
    /// - Parameter buffer: Not empty, and valid until the call returns, cancelled or not.
    /// - Returns: How many bytes; 0 at the end of the stream.
    func read(into buffer: UnsafeMutableRawBufferPointer) async throws -> Int

    /// Writes the whole buffer. Waiting for the peer to read is the back-pressure.
    ///
    /// - Parameter buffer: Valid until the call returns, cancelled or not. When the call throws, a part of it
    ///   may have been sent.
    func writeAll(_ buffer: UnsafeRawBufferPointer) async throws

    /// Ends the stream; operations that wait throw ``StreamError/closed``. Calling it again does nothing.
    func close()
}
