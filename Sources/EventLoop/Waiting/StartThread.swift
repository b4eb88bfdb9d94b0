import Glibc

// Every thread that the library starts, it starts here.

/// Starts a detached thread. Returns 0 or the error number.
///
/// It blocks the signals that somebody sends, so that they reach a loop's signalfd or the program's own
/// threads. Those that a thread brings upon itself act as everywhere in the process: blocked, they would
/// kill it without the handler that prints a backtrace.
///
/// - Parameters:
///   - name: Of the thread; the kernel keeps its first 15 bytes.
///   - whenOver: Called on the thread once what the body has captured is released.
func startThread(
    named name: String = "EventLoop", whenOver: (@Sendable () -> Void)? = nil,
    _ body: @escaping @Sendable () -> Void
) -> CInt {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
    let start = Unmanaged.passRetained(ThreadStart(name: name, body: body, whenOver: whenOver))
    var thread = pthread_t()
    // A thread is born with the mask of the one that starts it.
    var signals = sigset_t()
    var former = sigset_t()
    sigfillset(&signals)
    for number in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGPIPE] {
        sigdelset(&signals, number)
    }
    pthread_sigmask(SIG_BLOCK, &signals, &former)
    let code = pthread_create(
        &thread, &attributes,
        { argument in
            Unmanaged<ThreadStart>.fromOpaque(argument!).takeRetainedValue().run()
            return nil
        }, start.toOpaque())
    pthread_sigmask(SIG_SETMASK, &former, nil)
    if code != 0 { start.release() }
    return code
}

// glibc declares it for _GNU_SOURCE only, which Swift's Glibc is built without.
private let setThreadName: (@convention(c) (pthread_t, UnsafePointer<CChar>) -> CInt)? =
    dlsym(nil, "pthread_setname_np").map {
        unsafeBitCast($0, to: (@convention(c) (pthread_t, UnsafePointer<CChar>) -> CInt).self)
    }

/// What a new thread is given.
private final class ThreadStart {
    private let name: String
    private var body: (@Sendable () -> Void)?
    private let whenOver: (@Sendable () -> Void)?

    init(name: String, body: @escaping @Sendable () -> Void, whenOver: (@Sendable () -> Void)?) {
        self.name = name
        self.body = body
        self.whenOver = whenOver
    }

    func run() {
        var kept = name
        while kept.utf8.count > 15 { kept.removeLast() }
        _ = setThreadName?(pthread_self(), kept)
        body!()
        body = nil
        whenOver?()
    }
}
