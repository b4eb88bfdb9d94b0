import EventLoop

// Top-level code that awaits is an async main, which starts on the platform's main executor.
await Task.yield()
let values = try EventLoop.run {
    let loop = EventLoop.current
    let plain = Task { loop.isOnLoopThread }
    try await sleep(for: .milliseconds(1))
    return [loop.isOnLoopThread, await plain.value]
}
await Task.yield()
try await Task.sleep(for: .milliseconds(1))
print(values == [true, true] ? "ok" : "wrong: \(values)")
