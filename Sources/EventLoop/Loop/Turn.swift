import Glibc

// Running a loop: turn after turn, and what a turn is.

extension Engine {
    /// Takes turns on this thread until `isDone`, or until ``stop()``.
    func run(
        until isDone: () -> Bool, taskExecutor: UnownedTaskExecutor, serialExecutor: UnownedSerialExecutor
    ) {
        beginRunning()
        if state.isObserved { observer?.runBegan() }
        defer {
            if state.isObserved { observer?.runEnded() }
            endRunning()
        }
        while !isDone() {
            if stopRequested.exchange(false, ordering: .acquiringAndReleasing) { break }
            turn(taskExecutor, serialExecutor)
        }
    }

    /// Ends ``run(until:taskExecutor:serialExecutor:)`` after the turn under way. From any thread.
    func stop() {
        stopRequested.store(true, ordering: .releasing)
        post(.nudge)
    }

    /// One turn: looks for what has happened, then runs what was ready when it began, and only that, so
    /// that neither descriptors nor timers starve (asyncio's rule). The order within a turn: what was
    /// ready already, then descriptors, then timers by deadline, then what other threads have left.
    private func turn(_ taskExecutor: UnownedTaskExecutor, _ serialExecutor: UnownedSerialExecutor) {
        let count = waitForEvents()
        for index in 0..<count { deliver(reactor.event(at: index)) }
        takeInbox()
        let readyCount = ready.count
        state.counts.turns += 1
        state.counts.events += UInt64(count)
        state.counts.steps += UInt64(readyCount)
        state.counts.mostReady = max(state.counts.mostReady, readyCount)
        if state.isObserved { observer?.turnBegan(events: count, ready: readyCount) }
        if state.isSeeded {
            runShuffled(taskExecutor, serialExecutor)
        } else {
            for _ in 0..<readyCount {
                state.budget = Engine.budgetPerStep
                run(ready.removeFirst(), taskExecutor, serialExecutor)
            }
        }
        if state.isObserved { observer?.turnEnded() }
    }

    private func runShuffled(_ taskExecutor: UnownedTaskExecutor, _ serialExecutor: UnownedSerialExecutor) {
        for left in stride(from: ready.count, to: 0, by: -1) {
            state.budget = seededOrder!.budget()
            let item = seededOrder!.take(from: &ready, candidates: left)
            run(item, taskExecutor, serialExecutor)
        }
    }

    // MARK: - The queue

    @inline(__always)
    func append(_ job: UnownedJob, isIsolated: Bool) {
        if state.isObserved { tellReady(.task(unsafeBitCast(job, to: UInt.self))) }
        ready.append(isIsolated ? .isolatedJob(job) : .job(job))
    }

    func append(wakingJob job: UnownedJob) {
        if state.isObserved { tellReady(.task(unsafeBitCast(job, to: UInt.self))) }
        ready.append(.wakingJob(job))
    }

    @inline(__always)
    func append(_ call: ScheduledCall) {
        if state.isObserved { tellReady(.call(call)) }
        ready.append(.call(call))
    }

    /// A task lets the others go first.
    @inline(__always)
    func append(_ yielded: UnsafeContinuation<Void, Never>) {
        // What a continuation points to is its task.
        if state.isObserved { tellReady(.task(unsafeBitCast(yielded, to: UInt.self))) }
        ready.append(.yielded(yielded))
    }

    // MARK: - Waiting

    /// Looks for what has happened, and waits for it if there is nothing else to do. Returns how many events
    /// there are.
    @inline(__always)
    private func waitForEvents() -> Int {
        guard ready.isEmpty && inbox.fallAsleep() else { return reactor.wait(block: false) }
        if state.isObserved { observer?.idleBegan() }
        let count = state.waitsWithCare ? waitWithCare() : reactor.wait(block: true)
        inbox.wakeUp()
        if state.isObserved { observer?.idleEnded() }
        return count
    }

    /// Nothing is ready. Unless something has happened meanwhile, all tasks are blocked: who waits for that
    /// goes on; then those who are to answer: threads, as long as they take, and whoever else there may be.
    private func waitWithCare() -> Int {
        let count = reactor.wait(block: false)
        if count > 0 || inbox.hasMessages { return count }
        if !quietWaiters.isEmpty {
            wakeAll(in: quietWaiters)
            state.waitsWithCare = needsCareWhenIdle
            return 0
        }
        if let whenQuiet {
            whenQuiet()
            return 0
        }
        return offloadsUnderWay > 0 ? reactor.wait(block: true) : waitForOthersOrLeap()
    }

    /// Only others can make something happen now, or time: a clock that may leaps to the next deadline. When
    /// no deadline will come either, the loop may be stuck for good.
    private func waitForOthersOrLeap() -> Int {
        let deadline = reactor.earliestDeadline
        if clock.mayLeap(to: deadline) {
            let count = clock.kind.patience > .zero ? reactor.wait(atMost: clock.kind.patience) : 0
            if count > 0 || inbox.hasMessages { return count }
            reactor.advance(to: deadline)
            virtualNow.store(reactor.now.nanoseconds, ordering: .relaxed)
            return reactor.wait(block: false)
        }
        guard let whenStuck, !clock.willReach(deadline) else { return reactor.wait(block: true) }
        let count = reactor.wait(atMost: max(whenStuck.patience, clock.kind.patience))
        if count == 0 && !inbox.hasMessages { whenStuck.report() }
        return count
    }

    // MARK: - Steps

    @inline(__always)
    private func run(
        _ item: ReadyQueue.Item, _ taskExecutor: UnownedTaskExecutor, _ serialExecutor: UnownedSerialExecutor
    ) {
        switch item {
        case .job(let job): run(job, isIsolated: false, taskExecutor, serialExecutor)
        case .isolatedJob(let job): run(job, isIsolated: true, taskExecutor, serialExecutor)
        case .wakingJob(let job): runWakingJob(job)
        case .call(let call): run(call)
        case .yielded(let continuation):
            // Resuming appends the task's job to the queue's end. Its turn is now, so it is taken back;
            // unless the job went elsewhere, as an actor's without a preference does.
            let count = ready.count
            continuation.resume()
            if ready.count > count { run(ready.removeLast(), taskExecutor, serialExecutor) }
        }
    }

    /// Runs a job that ends a `Task.sleep`, here and now, so that nobody can come between.
    @inline(never)
    private func runWakingJob(_ job: UnownedJob) {
        let step = LoopStep.task(unsafeBitCast(job, to: UInt.self))
        if state.isObserved { observer?.stepBegan(step) }
        job.runSynchronously(on: .none)
        if state.isObserved { observer?.stepEnded(step, node: nil) }
    }

    @inline(__always)
    private func run(_ call: ScheduledCall) {
        if state.isObserved { observer?.stepBegan(.call(call)) }
        call.run()
        if state.isObserved { observer?.stepEnded(.call(call), node: nil) }
    }

    /// Runs a job, and as long as it only changes executors, the rest of its step.
    @inline(__always)
    private func run(
        _ job: UnownedJob, isIsolated: Bool, _ taskExecutor: UnownedTaskExecutor,
        _ serialExecutor: UnownedSerialExecutor
    ) {
        let address = unsafeBitCast(job, to: UInt.self)
        state.runningJob = address
        state.isRunningIsolated = isIsolated
        if state.isObserved { observer?.stepBegan(.task(address)) }
        while true {
            if state.isRunningIsolated {
                job.runSynchronously(on: serialExecutor)
            } else {
                job.runSynchronously(on: taskExecutor)
            }
            guard state.hasHopped else { break }
            state.hasHopped = false
            state.isRunningIsolated.toggle()
        }
        if state.isObserved { observer?.stepEnded(.task(address), node: taskIndex[address]) }
        state.runningJob = 0
    }

    private func deliver(_ event: Reactor.Event) {
        switch event {
        case .descriptor(let token, let readiness):
            guard let descriptor = observers[token] else { break }
            if state.isObserved { observer?.descriptorReady(descriptor.fileDescriptor, readiness) }
            descriptor.descriptorIsReady(readiness)
        case .timer(let token, let lateness): timerFired(WaiterToken(rawValue: token), lateness)
        case .signal(let token): deliverSignal(token)
        case .wake: onWake?()
        case .child: break  // Nothing here watches a child yet.
        }
    }

    private func timerFired(_ token: WaiterToken, _ lateness: UInt32) {
        state.counts.timers += 1
        if state.isObserved { observer?.timerFired(token, lateness: .nanoseconds(lateness)) }
        wake(token)
    }

    // Apart, or its check for exclusive access would be hoisted out of the loop over the events.
    @inline(never)
    private func deliverSignal(_ token: UInt64) {
        signalObservers[token]?.signalArrived()
    }

    private func takeInbox() {
        guard inbox.hasMessages else { return }
        for message in inbox.takeAll() {
            switch message {
            case .from(let origin): observer?.messageTaken(from: origin)
            case .job(let job): append(job, isIsolated: false)
            case .isolatedJob(let job): append(job, isIsolated: true)
            case .call(let call): schedule(call)
            case .delayed(let job, let deadline): delayJob(job, until: deadline)
            case .cancelWait(let token): cancelWait(token)
            case .cancelTask(let node): cancelWait(node.token)
            case .perform(let action): action()
            case .nudge: break
            }
        }
    }
}
