import EventLoop

try EventLoop.run {
    try await sleep(for: .seconds(1))
    print("One second on the event loop.")
}
