import Glibc

/// The calling thread's number in the kernel (gettid(2)), which debuggers and /proc know it by.
enum ThreadNumber {
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let result = pthread_key_create(&key, nil)
        precondition(result == 0, "The process has no thread-specific keys left.")
        return key
    }()

    /// 0 without /proc. After a fork, that of the thread that forked.
    static var current: CInt {
        if let number = pthread_getspecific(key) { return CInt(Int(bitPattern: number)) }
        let number = read()
        pthread_setspecific(key, UnsafeMutableRawPointer(bitPattern: Int(number)))
        return number
    }

    /// Glibc's gettid is hidden from Swift; the link of /proc/thread-self ends with the number.
    private static func read() -> CInt {
        var bytes = [CChar](repeating: 0, count: 64)
        let count = readlink("/proc/thread-self", &bytes, bytes.count)
        let text = String(decoding: bytes.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        return text.split(separator: "/").last.flatMap { CInt($0) } ?? 0
    }
}
