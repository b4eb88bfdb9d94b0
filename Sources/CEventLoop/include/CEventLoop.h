/// CEventLoop: a single-threaded reactor for Linux. Interest in, events out.
///
/// A loop watches file descriptors (epoll), deadlines (one timerfd), signals (one signalfd), child
/// processes (a pidfd each) and a doorbell that other threads may ring (eventfd), and hands what happened
/// to its caller as plain 16-byte values. It calls nobody back, starts no thread, takes no lock, and
/// allocates only when a table has to grow.
///
///     el_loop *loop;
///     if (el_loop_create(EL_CLOCK_MONOTONIC, &loop) < 0) return 1;
///     el_timer_start(loop, el_loop_now(loop) + 50000000, 42); // 50 ms from now
///     el_event events[64];
///     int count = el_loop_wait(loop, EL_NEVER, events, 64);
///     for (int i = 0; i < count; i++) {
///         if (events[i].kind == EL_EVENT_TIMER) printf("timer %" PRIu64 " is due\n", events[i].token);
///     }
///     el_loop_destroy(loop);
///
/// Thread rule: a loop belongs to one thread at a time. Only el_loop_wake may be called from another
/// thread, or from a signal handler, and only while the loop exists. A loop may move to another thread
/// between two calls, handed over as any other memory is, unless it has signals: their mask is the thread's.
/// Several loops, each on a thread of its own, know nothing of each other.
///
/// Errors: functions that can fail return a negative errno (-EBADF), never -1 with errno set. A call that
/// failed has changed nothing, except where its description says so. A null loop, or one that was
/// destroyed, is a mistake that is not looked for.
///
/// Time: every deadline is an absolute number of nanoseconds on the loop's clock (el_loop_now).
/// Deadlines in the past are due at once; EL_NEVER is never due.
///
/// Tokens: 64 bits that the loop keeps and never looks at: an index, or a pointer by way of uintptr_t.
/// Descriptors, timers and signals have nothing in common, so each kind may use the same tokens. What a
/// token points to must live until its last event is dealt with. A batch holds at most one event for a
/// descriptor, but it may hold one that was made before an earlier event's handler removed the source:
/// such an event is the caller's to recognise, by a table that it looks the token up in, say, or by
/// freeing memory only after the whole batch.
///
/// From C++ (11 or later), each enumeration is a uint32_t, so that flags combine with `|`.
#ifndef CEVENTLOOP_H
#define CEVENTLOOP_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__has_attribute)
#if __has_attribute(flag_enum)
#define EL_FLAG_ENUM __attribute__((flag_enum))
#endif
#if __has_attribute(swift_name)
#define EL_SWIFT_NAME(name) __attribute__((swift_name(name)))
#endif
#if __has_attribute(enum_extensibility)
#define EL_CLOSED_ENUM __attribute__((enum_extensibility(closed)))
#define EL_OPEN_ENUM __attribute__((enum_extensibility(open)))
#endif
#endif
#ifndef EL_FLAG_ENUM
#define EL_FLAG_ENUM
#endif
#ifndef EL_SWIFT_NAME
#define EL_SWIFT_NAME(name)
#endif
#ifndef EL_CLOSED_ENUM
#define EL_CLOSED_ENUM
#define EL_OPEN_ENUM
#endif

/// An enumeration of 32 bits. clang, and through it Swift, sees a type of its own; GCC has no fixed
/// underlying type in C, and C++ would not let flags be combined with `|`, so there it is a uint32_t.
#if defined(__clang__) && !defined(__cplusplus)
#define EL_ENUM(name, attributes) __extension__ enum attributes name : uint32_t
#define EL_ENUM_TYPE(name) typedef enum name name
#elif defined(__cplusplus)
#define EL_ENUM(name, attributes) enum : uint32_t
#define EL_ENUM_TYPE(name) typedef uint32_t name
#else
#define EL_ENUM(name, attributes) enum
#define EL_ENUM_TYPE(name) typedef uint32_t name
#endif

#if defined(__GNUC__)
#define EL_API __attribute__((visibility("default")))
#else
#define EL_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// A reactor. The one opaque type of this library.
typedef struct el_loop el_loop;

/// The deadline that never comes.
#define EL_NEVER UINT64_MAX

// MARK: - Events

/// What an event is about, and so whose token it carries.
EL_ENUM(el_event_kind, EL_OPEN_ENUM EL_SWIFT_NAME("EventKind")){
    /// A file descriptor is ready; `ready` holds el_ready flags.
    EL_EVENT_FD EL_SWIFT_NAME("descriptor") = 1,
    /// A timer is due. Its id is dead from here on; `ready` holds how late the loop noticed it, in
    /// nanoseconds, and UINT32_MAX for 4.3 s or more.
    EL_EVENT_TIMER EL_SWIFT_NAME("timer") = 2,
    /// el_loop_wake was called, once or more. The token is 0.
    EL_EVENT_WAKE EL_SWIFT_NAME("wake") = 3,
    /// A signal arrived; `ready` holds its number.
    EL_EVENT_SIGNAL EL_SWIFT_NAME("signal") = 4,
    /// A child process has ended; `ready` holds its wait status, or EL_CHILD_STATUS_UNKNOWN. The watch is
    /// over, and its id dead, from here on.
    EL_EVENT_CHILD EL_SWIFT_NAME("child") = 5,
};
EL_ENUM_TYPE(el_event_kind);

/// What a caller wants to hear about a file descriptor. Hang-ups and errors are always reported with
/// any of them. No interest at all keeps the registration but reports nothing, hang-ups included
/// (the kernel would report them forever, so the loop takes the fd out of the epoll set).
EL_ENUM(el_interest, EL_FLAG_ENUM EL_SWIFT_NAME("Interest")){
    /// There is something to read, or to accept, or the peer will send no more (EPOLLIN, EPOLLRDHUP).
    EL_READ EL_SWIFT_NAME("read") = 1,
    /// There is room to write, or a connection attempt is over (EPOLLOUT).
    EL_WRITE EL_SWIFT_NAME("write") = 2,
    /// Exceptional data: TCP's urgent byte, a cgroup's or a GPIO's notice (EPOLLPRI).
    EL_PRIORITY EL_SWIFT_NAME("priority") = 4,
};
EL_ENUM_TYPE(el_interest);

/// What a file descriptor is ready for.
EL_ENUM(el_ready, EL_FLAG_ENUM EL_SWIFT_NAME("Ready")){
    /// A read or an accept would not block (EPOLLIN).
    EL_READY_READ EL_SWIFT_NAME("read") = 1,
    /// A write would not block; a connection attempt is over, and SO_ERROR says how (EPOLLOUT).
    EL_READY_WRITE EL_SWIFT_NAME("write") = 2,
    /// Exceptional data is there (EPOLLPRI).
    EL_READY_PRIORITY EL_SWIFT_NAME("priority") = 4,
    /// The peer will send no more (EPOLLRDHUP): there may be data to read before the end.
    EL_READY_READ_HANGUP EL_SWIFT_NAME("readHangup") = 8,
    /// Both directions are gone (EPOLLHUP): there may be data to read before the end.
    EL_READY_HANGUP EL_SWIFT_NAME("hangup") = 16,
    /// An error waits: the next read or write, or SO_ERROR, says which (EPOLLERR).
    EL_READY_ERROR EL_SWIFT_NAME("error") = 32,
};
EL_ENUM_TYPE(el_ready);

/// How often readiness is reported.
EL_ENUM(el_mode, EL_CLOSED_ENUM EL_SWIFT_NAME("Mode")){
    /// At every wait, as long as the fd is ready.
    EL_LEVEL EL_SWIFT_NAME("level") = 0,
    /// Once for each change: read or write until EAGAIN, or until a short count, before waiting again.
    EL_EDGE EL_SWIFT_NAME("edge") = 1,
    /// Once; then not again before el_fd_modify.
    EL_ONE_SHOT EL_SWIFT_NAME("oneShot") = 2,
};
EL_ENUM_TYPE(el_mode);

/// One thing that happened: 16 plain bytes.
typedef struct el_event {
    /// What the caller gave when it registered the source.
    uint64_t token;
    /// Which source it is. Later versions may add kinds: let a `switch` have a default.
    el_event_kind kind;
    /// el_ready flags of a descriptor, a signal's number, a child's wait status, a timer's lateness, else 0.
    uint32_t ready;
} el_event;

// MARK: - The loop

/// A program's turn: wait, deal with each event, wait again. What other threads have to say they put
/// where the loop's thread finds it, and then ring:
///
///     pthread_mutex_lock(&mailbox->lock);
///     result->next = NULL;
///     *mailbox->end = result;
///     mailbox->end = &result->next;
///     pthread_mutex_unlock(&mailbox->lock);
///     el_loop_wake(mailbox->loop); // after the result is in the queue, never before

/// Which clock a loop lives by.
EL_ENUM(el_clock, EL_CLOSED_ENUM EL_SWIFT_NAME("ClockKind")){
    /// CLOCK_MONOTONIC: nanoseconds since an arbitrary point, never set back, stopped in suspend.
    EL_CLOCK_MONOTONIC EL_SWIFT_NAME("monotonic") = 0,
    /// Starts at 0 and moves only by el_clock_advance: for tests and virtual time.
    EL_CLOCK_MANUAL EL_SWIFT_NAME("manual") = 1,
};
EL_ENUM_TYPE(el_clock);

/// Makes a loop, with three file descriptors of its own (close-on-exec); el_loop_fd, the first signal and
/// each child take one more.
/// Returns 0, or -EMFILE, -ENFILE, -ENOMEM, -EINVAL (no such clock); on error `*out` is NULL.
EL_API int el_loop_create(el_clock clock, el_loop **out);

/// Frees the loop, its registrations and its timers. The caller's fds stay open; signals that were
/// added get their former mask back. NULL is allowed. No other thread may still call el_loop_wake.
/// A forked child shares the loop's files with its parent: without el_loop_fork it may destroy its copy,
/// which only closes and so leaves the parent alone, and do nothing else with it.
EL_API void el_loop_destroy(el_loop *loop);

/// Makes the loop this process's own, after fork(2), in the child.
///
/// fork copies the loop's memory and shares its files: the child's epoll_ctl would change what the parent
/// watches, a timer started in one would ring in the other, and a wake would reach either. So a child does
/// one of three things with a loop that it inherits:
///
/// - nothing, and then execve(2), as posix_spawn(3) does: all of the loop's descriptors are close-on-exec;
/// - el_loop_destroy, if it does not want it (no el_fd_remove or el_signal_remove before);
/// - el_loop_fork, before any other call with this loop, and before it closes descriptors that the loop
/// watches.
///
/// The parent notices none of these, and calls nothing.
///
/// Afterwards the child's copy is whole: the same fds, interests, modes and tokens, of files that parent and
/// child share (who reads first has the bytes); the same timers and ids; the same signals, blocked in the
/// calling thread; el_loop_fd and the loop's other numbers stay, but name new files, so a foreign loop must
/// add el_loop_fd again. A wake that was under way at the fork is reported in both processes, since the child
/// has a copy of what it announced. An edge-triggered descriptor that is ready is reported once more. Signals
/// that were pending stay with the parent, as fork says. Children that were being watched are the parent's:
/// el_child_signal works, their end is reported, their status is EL_CHILD_STATUS_UNKNOWN, and the parent
/// still gets its own event.
///
/// The fork must not happen while another thread is in a call with this loop. Allowed at any other
/// time, in a process that did not fork too. Returns 0, or -EMFILE, -ENFILE (one free number is needed for a
/// moment), -ENOMEM, -ENOSPC: then call it again, or el_loop_destroy, and nothing else.
EL_API int el_loop_fork(el_loop *loop);

/// Waits until something happens or `deadline_ns` has come, and writes at most `capacity` events.
///
/// Returns how many; 0 means that the deadline came first; -EINVAL for a capacity below 1; another negative
/// errno only when somebody has closed what is the loop's own. A deadline that has passed (0, say) only
/// polls. Events that do not fit are kept for the next call: none is lost,
/// and when there is never room for both, file descriptors and timers take turns. In one call
/// descriptors come before timers, except for due timers that found no room in the call before, and
/// timers come in the order of (deadline, start). No timer is early.
///
/// A signal handler that runs meanwhile does not end the wait (EINTR is absorbed, the deadline is
/// absolute); let it call el_loop_wake if it should. With a manual clock no time passes in here: a
/// deadline in the future waits for descriptors, signals and el_loop_wake alone.
EL_API int el_loop_wait(el_loop *loop, uint64_t deadline_ns, el_event *out, int capacity);

/// Makes the current or the next el_loop_wait return with one EL_EVENT_WAKE, however many calls there
/// were. From any thread, async-signal-safe, keeps errno. What the caller wrote to memory before is
/// visible to the loop's thread once it has the event. Returns 0, or the negative errno of write(2), which
/// does not fail on a descriptor that nobody else has closed.
EL_API int el_loop_wake(el_loop *loop);

/// An epoll fd that is readable while there are events, for a foreign loop to watch. It stays the same
/// for the loop's life, and is the loop's to close. Call el_loop_arm before each wait of the foreign loop.
/// Made at the first call, which returns -EMFILE, -ENFILE, -ENOMEM or -ENOSPC when it cannot be.
///
///     struct pollfd fds[] = {{.fd = loop_fd, .events = POLLIN}, {.fd = foreign[0], .events = POLLIN}};
///     int armed = el_loop_arm(loop);
///     if (armed < 0 || poll(fds, 2, armed == 1 ? 0 : -1) < 0) break;
///
/// Then el_loop_wait with deadline 0 hands out what happened, if anything did.
EL_API int el_loop_fd(el_loop *loop);

/// Prepares a wait outside this loop: sets the timerfd, so that el_loop_fd becomes readable when the
/// earliest timer is due. Returns 0; 1 if there is work already (call el_loop_wait with deadline 0
/// at once), as always with a descriptor that never blocks (el_fd_add), of which el_loop_fd knows nothing;
/// or a negative errno.
EL_API int el_loop_arm(el_loop *loop);

/// The time in nanoseconds, read at most once between two waits: cheap, and the same for all that
/// one batch of events causes. After long work it lags behind: see el_loop_update_now.
EL_API uint64_t el_loop_now(el_loop *loop);

/// Reads the clock anew and returns it: for deadlines that count from this very moment.
EL_API uint64_t el_loop_update_now(el_loop *loop);

/// Verifies the loop's invariants (order, ids, tables) in time proportional to its size, and
/// aborts with a sentence where one is broken. For tests.
EL_API void el_loop_check(const el_loop *loop);

// MARK: - File descriptors

/// Non-blocking descriptors of any kind that poll(2) knows: sockets, pipes, terminals, eventfd, pidfd,
/// inotify. Try the system call first, and wait when it says EAGAIN:
///
///     if (el_fd_add(loop, fd, EL_READ, EL_LEVEL, 7) < 0) return 1;
///
/// EL_LEVEL forgives who reads only a part. EL_EDGE costs no system call to change one's mind: watch both
/// directions once, and read and write until EAGAIN. EL_ONE_SHOT hands a descriptor out to one who has to
/// ask again:
///
///     if (el_fd_modify(loop, fd, EL_READ, EL_ONE_SHOT, 7) < 0) return 1;
///
/// And at the end, in this order:
///
///     el_fd_remove(loop, fd); // before close
///     close(fd);

/// Starts watching `fd`. `token` comes back in each of its events.
///
/// Returns 0, or -EBADF (not open), -EEXIST (watched already), -ENOMEM, -ENOSPC (the user's limit on
/// watches), -EINVAL (the loop's own fd, an unknown flag), -ELOOP (loops that watch each other).
///
/// A file that never blocks (a regular file, a directory, /dev/null), which epoll refuses to watch, is always
/// ready for what it was registered for, as poll(2) has it: level-triggered it is reported at every wait,
/// which then does not block; edge-triggered once for each el_fd_add and el_fd_modify, and so is one-shot. It
/// is never ready for EL_PRIORITY. In each wait such files share the room with the others, and take turns
/// where it is scarce.
///
/// A number that was closed without el_fd_remove and opened anew is a new descriptor. One that is
/// registered without interest, or never blocks, cannot be told from that: adding it again replaces the
/// registration.
EL_API int el_fd_add(el_loop *loop, int fd, el_interest interest, el_mode mode, uint64_t token);

/// Replaces interest, mode and token; re-arms a one-shot registration. An edge-triggered fd that is
/// ready now is reported again. Returns 0, -ENOENT (not watched), -EINVAL, or what el_fd_add returns.
EL_API int el_fd_modify(el_loop *loop, int fd, el_interest interest, el_mode mode, uint64_t token);

/// Stops watching `fd`. Call it before close(2): the kernel keeps a watch as long as any duplicate of
/// the descriptor is open, in this process or a child. (If that happens all the same, the loop drops
/// the stale events and rebuilds its epoll set, and what is edge-triggered and ready then is reported
/// once more. A file that never blocks is reported until it is removed, closed or not.) Events that an
/// earlier wait handed out are the caller's to drop. Returns 0, -ENOENT (not watched), or -EBADF (closed
/// already; forgotten here).
EL_API int el_fd_remove(el_loop *loop, int fd);

/// Accepts a connection as a non-blocking, close-on-exec descriptor in one system call (accept4(2)), which
/// many languages' own libraries do not offer. Needs no loop. Returns the descriptor, -EAGAIN when there is
/// no connection, -ECONNABORTED for a client that has gone already (try the next), -EMFILE, -ENFILE, -ENOBUFS
/// or -ENOMEM when there is no room (the client stays in the backlog, so a level-triggered listener is
/// reported again at once: take its interest away for a while), or another negative errno of accept4.
EL_API int el_fd_accept(int listener);

// MARK: - Timers

/// Deadlines, any number of them: starting and cancelling takes no system call, and a time that hardly
/// depends on how many there are. Each fires once. One that repeats is started anew from its own deadline,
/// not from now, so that it does not drift.
///
///     timers[request] = el_timer_start(loop, start_ns + timeout_ns(request), request);
///     if (timers[request] == 0) return 1; // out of memory
///
/// An id may be kept after its timer has fired, and cancelling it then does nothing:
///
///     if (el_timer_cancel(loop, timers[request]) == 0) mistakes++;

/// Names one timer for its life; never 0, and not given out again before four billion others.
typedef uint64_t el_timer;

/// Starts a one-shot timer. No system call. Returns its id, or 0 when memory ran out.
EL_API el_timer el_timer_start(el_loop *loop, uint64_t deadline_ns, uint64_t token);

/// Stops a timer and gives its memory back. Returns 0, or -ENOENT for one that fired or was cancelled.
EL_API int el_timer_cancel(el_loop *loop, el_timer timer);

/// The earliest deadline of all timers, exactly, or EL_NEVER. Cheap enough to be asked in each turn.
EL_API uint64_t el_timer_earliest(el_loop *loop);

/// How many timers are live.
EL_API uint64_t el_timer_count(const el_loop *loop);

// MARK: - The manual clock

/// Time that passes only when told, so that a test of a minute takes none and ends the same each time:
///
///     el_event event;
///     el_clock_advance(loop, 59 * SECOND);
///     int early = el_loop_wait(loop, 0, &event, 1); // 0: only look
///     el_clock_advance(loop, 1 * SECOND);
///     int due = el_loop_wait(loop, 0, &event, 1);

/// Moves a manual clock forward. Returns 0, or -EINVAL on a monotonic clock. Saturates below EL_NEVER.
EL_API int el_clock_advance(el_loop *loop, uint64_t duration_ns);

// MARK: - Signals

/// Signals come as events on the loop's thread, where any function may be called:
///
///     el_signal_add(server.loop, SIGINT, SIGINT);
///     el_signal_add(server.loop, SIGTERM, SIGTERM);
///
/// One that is sent again before it was taken is reported once (signal(7)), except for real-time signals.
/// If several loops of a process have added the same signal, one of them gets it, and which one is not
/// known. A program that is started with exec(2) inherits the blocked signals: unblock them in the child
/// before, or it will not end on SIGTERM.

/// Turns a signal into an event: blocks it in the calling thread and reads it from a signalfd.
///
/// In one wait, signals come in the order of the kernel: by number, the lowest first, and a real-time signal
/// (SIGRTMIN … SIGRTMAX) as often as it was sent, in the order of sending. Any other that is sent again
/// before it was reported is one event. A signal sent to a thread (pthread_kill, raise, a fault) reaches the
/// loop only if that thread waits for it.
///
/// Several loops may ask for the same signal; each arrival is then reported by one of them, whichever
/// looks first. Give it to one loop. If two on one thread have it all the same, remove it in the reverse
/// order: each gives back the mask that it found, and the first one found it unblocked.
///
/// Threads started later inherit the mask; a thread started earlier that does not block the signal
/// may still take it, so add signals before starting threads (signalfd(2), pthread_sigmask(3)).
/// Returns 0, -EEXIST (added already), -EINVAL (no such signal, or SIGKILL or SIGSTOP), -EMFILE,
/// -ENFILE, -ENOMEM, -ENOSPC.
EL_API int el_signal_add(el_loop *loop, int signal, uint64_t token);

/// Gives the signal its former place in the calling thread's mask back; one that is pending then is
/// delivered the ordinary way. Returns 0, -ENOENT (not added), or what signalfd(2) refuses with; then it
/// is still added.
/// Call it, or el_loop_destroy, on the thread that called el_signal_add, whose mask it is.
EL_API int el_signal_remove(el_loop *loop, int signal);

// MARK: - Child processes

/// Names one watch of a child process for its life; never 0, and not given out again before four billion
/// others.
typedef uint64_t el_child;

/// `ready` of a child that has ended, but whose status went to somebody else: SIGCHLD is ignored (or has
/// SA_NOCLDWAIT), so that the kernel threw it away; another waitpid in this process was quicker; or the
/// process is no child of this one. No wait status has this value.
#define EL_CHILD_STATUS_UNKNOWN UINT32_MAX

/// Watches a child process by its pid, and reports one EL_EVENT_CHILD with `token` when all of it has ended.
/// Stopping and continuing are not reported. A child that has ended already, and was not waited for, is
/// reported by the next wait.
///
/// The loop waits for the child (it "reaps" it) when it hands out the event, exactly once, and by pidfd: no
/// other child's status is taken, no signal handler is needed, and SIGCHLD may be blocked, handled or added
/// to a loop. `ready` is the status as waitpid(2) gives it, for WIFEXITED and its like: an exit code c is c
/// << 8, and an end by signal s is s, plus 128 if there was a core dump. Do not call waitpid(2) for this pid
/// meanwhile, nor for any child (-1): who comes first has the status. With the event the pid may already mean
/// another process: use it no more.
///
/// Any process may be watched, not only a child of the calling one; its status then is
/// EL_CHILD_STATUS_UNKNOWN. The pid must be right at the time of the call; for one's own child it is, unless
/// somebody has waited for it.
///
/// Writes the watch's id to `*out` (0 on error). Returns 0, or -ESRCH (no such process; one that ended while
/// SIGCHLD is ignored is none), -EINVAL (not a pid; a thread of a process), -ENOSYS (Linux before 5.4),
/// -EPERM (a sandbox forbids it), -EMFILE, -ENFILE, -ENODEV, -ENOMEM, -ENOSPC.
EL_API int el_child_add(el_loop *loop, int pid, uint64_t token, el_child *out);

/// Stops watching. The child goes on, and waiting for it is the caller's again, even if it has ended but its
/// event was not handed out yet. el_loop_destroy does the same with all. Returns 0, or -ENOENT (removed, or
/// reported).
EL_API int el_child_remove(el_loop *loop, el_child child);

/// Sends a signal to a child that is watched, and to no other process that has got its pid (signal 0 only
/// asks). Returns 0, also when it has ended but its event was not handed out yet; or -ENOENT (removed, or
/// reported), -ESRCH (ended, and somebody else has waited for it), -EINVAL (no such signal), -EPERM.
EL_API int el_child_signal(el_loop *loop, el_child child, int signal);

#ifdef __cplusplus
}
#endif

#endif
