/// CEventLoop: a single-threaded reactor for Linux. Interest in, events out.
///
/// A loop watches file descriptors (epoll), deadlines (one timerfd), signals (one signalfd) and a
/// doorbell that other threads may ring (eventfd), and hands what happened to its caller as plain
/// 16-byte values. It calls nobody back, starts no thread, takes no lock, and allocates only when a
/// table has to grow.
///
///     el_loop *loop;
///     if (el_loop_create(EL_CLOCK_MONOTONIC, &loop) < 0) return 1;
///     el_fd_add(loop, socket_fd, EL_READ, EL_EDGE, 42);
///     el_timer_start(loop, el_loop_now(loop) + 1000000000, 7);
///     el_event events[64];
///     int count = el_loop_wait(loop, EL_NEVER, events, 64);
///     for (int i = 0; i < count; i++) { … events[i].kind, .token, .ready … }
///     el_loop_destroy(loop);
///
/// Thread rule: a loop belongs to one thread at a time. Only el_loop_wake may be called from another
/// thread, or from a signal handler, and only while the loop exists.
///
/// Errors: functions that can fail return a negative errno (-EBADF), never -1 with errno set.
///
/// Time: every deadline is an absolute number of nanoseconds on the loop's clock (el_loop_now).
/// Deadlines in the past are due at once; EL_NEVER is never due.
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
#endif

/// An enumeration of 32 bits. clang, and through it Swift, sees a type of its own; GCC has no fixed
/// underlying type in C, and C++ would not let flags be combined with `|`, so there it is a uint32_t.
#if defined(__clang__) && !defined(__cplusplus)
#define EL_ENUM(name, attributes) enum attributes name : uint32_t
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
EL_ENUM(el_event_kind, EL_CLOSED_ENUM EL_SWIFT_NAME("EventKind")){
    /// A file descriptor is ready; `ready` holds el_ready flags.
    EL_EVENT_FD EL_SWIFT_NAME("descriptor") = 1,
    /// A timer is due. Its id is dead from here on.
    EL_EVENT_TIMER EL_SWIFT_NAME("timer") = 2,
    /// el_loop_wake was called, once or more. The token is 0.
    EL_EVENT_WAKE EL_SWIFT_NAME("wake") = 3,
    /// A signal arrived; `ready` holds its number.
    EL_EVENT_SIGNAL EL_SWIFT_NAME("signal") = 4,
};
EL_ENUM_TYPE(el_event_kind);

/// What a caller wants to hear about a file descriptor. Hang-ups and errors are always reported with
/// any of them. No interest at all keeps the registration but reports nothing, hang-ups included
/// (the kernel would report them forever, so the loop takes the fd out of the epoll set).
EL_ENUM(el_interest, EL_FLAG_ENUM EL_SWIFT_NAME("Interest")){
    EL_READ EL_SWIFT_NAME("read") = 1,
    EL_WRITE EL_SWIFT_NAME("write") = 2,
    /// Exceptional data: TCP's urgent byte, a cgroup's or a GPIO's notice (EPOLLPRI).
    EL_PRIORITY EL_SWIFT_NAME("priority") = 4,
};
EL_ENUM_TYPE(el_interest);

/// What a file descriptor is ready for.
EL_ENUM(el_ready, EL_FLAG_ENUM EL_SWIFT_NAME("Ready")){
    EL_READY_READ EL_SWIFT_NAME("read") = 1,
    EL_READY_WRITE EL_SWIFT_NAME("write") = 2,
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
    el_event_kind kind;
    /// el_ready flags of a descriptor, a signal's number, else 0.
    uint32_t ready;
} el_event;

// MARK: - The loop

/// Which clock a loop lives by.
EL_ENUM(el_clock, EL_CLOSED_ENUM EL_SWIFT_NAME("ClockKind")){
    /// CLOCK_MONOTONIC: nanoseconds since an arbitrary point, never set back, stopped in suspend.
    EL_CLOCK_MONOTONIC EL_SWIFT_NAME("monotonic") = 0,
    /// Starts at 0 and moves only by el_clock_advance: for tests and virtual time.
    EL_CLOCK_MANUAL EL_SWIFT_NAME("manual") = 1,
};
EL_ENUM_TYPE(el_clock);

/// Makes a loop, with three file descriptors of its own (close-on-exec); el_loop_fd and the first signal
/// take one more each.
/// Returns 0, or -EMFILE, -ENFILE, -ENOMEM, -EINVAL (no such clock); on error `*out` is NULL.
EL_API int el_loop_create(el_clock clock, el_loop **out);

/// Frees the loop, its registrations and its timers. The caller's fds stay open; signals that were
/// added get their former mask back. NULL is allowed. No other thread may still call el_loop_wake.
/// A forked child shares the loop's files with its parent: it may destroy its copy, and nothing else.
EL_API void el_loop_destroy(el_loop *loop);

/// Waits until something happens or `deadline_ns` has come, and writes at most `capacity` events.
///
/// Returns how many; 0 means that the deadline came first; -EINVAL for a capacity below 1. A deadline
/// that has passed (0, say) only polls. Events that do not fit are kept for the next call: none is lost,
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
/// visible to the loop's thread once it has the event. Returns 0, or a negative errno.
EL_API int el_loop_wake(el_loop *loop);

/// An epoll fd that is readable while there are events, for a foreign loop to watch. It stays the same
/// for the loop's life, and is the loop's to close. Call el_loop_arm before each wait of the foreign loop.
/// Made at the first call, which returns -EMFILE, -ENFILE, -ENOMEM or -ENOSPC when it cannot be.
EL_API int el_loop_fd(el_loop *loop);

/// Prepares a wait outside this loop: sets the timerfd, so that el_loop_fd becomes readable when the
/// earliest timer is due. Returns 0; 1 if there is work already (call el_loop_wait with deadline 0
/// at once); or a negative errno.
EL_API int el_loop_arm(el_loop *loop);

/// The time in nanoseconds, read at most once between two waits: cheap, and the same for all that
/// one batch of events causes.
EL_API uint64_t el_loop_now(el_loop *loop);

/// Reads the clock anew and returns it: for deadlines that count from this very moment.
EL_API uint64_t el_loop_update_now(el_loop *loop);

/// Verifies the loop's invariants (order, ids, tables) in time proportional to its size, and
/// aborts with a sentence where one is broken. For tests.
EL_API void el_loop_check(const el_loop *loop);

// MARK: - File descriptors

/// Starts watching `fd`. `token` comes back in each of its events.
///
/// Returns 0, or -EBADF (not open), -EEXIST (watched already), -EPERM (a kind of file that epoll
/// cannot watch, such as a regular file, which never blocks), -ENOMEM, -ENOSPC (the user's limit on
/// watches), -EINVAL (the loop's own fd, an unknown flag), -ELOOP (loops that watch each other).
/// A number that was closed without el_fd_remove and opened anew is a new descriptor. One that is
/// registered without interest cannot be told from that: adding it again replaces the registration.
EL_API int el_fd_add(el_loop *loop, int fd, el_interest interest, el_mode mode, uint64_t token);

/// Replaces interest, mode and token; re-arms a one-shot registration. An edge-triggered fd that is
/// ready now is reported again. Returns 0, -ENOENT (not watched), -EINVAL, or what el_fd_add returns.
EL_API int el_fd_modify(el_loop *loop, int fd, el_interest interest, el_mode mode, uint64_t token);

/// Stops watching `fd`. Call it before close(2): the kernel keeps a watch as long as any duplicate of
/// the descriptor is open, in this process or a child. (If that happens all the same, the loop drops
/// the stale events and rebuilds its epoll set, and what is edge-triggered and ready then is reported
/// once more.) Events that an earlier wait handed out are the
/// caller's to drop. Returns 0, -ENOENT (not watched), or -EBADF (closed already; forgotten here).
EL_API int el_fd_remove(el_loop *loop, int fd);

/// Accepts a connection as a non-blocking, close-on-exec descriptor in one system call (accept4(2)), which
/// many languages' own libraries do not offer. Needs no loop. Returns the descriptor, -EAGAIN when there is
/// no connection, or another negative errno.
EL_API int el_fd_accept(int listener);

// MARK: - Timers

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

/// Moves a manual clock forward. Returns 0, or -EINVAL on a monotonic clock. Saturates below EL_NEVER.
EL_API int el_clock_advance(el_loop *loop, uint64_t duration_ns);

// MARK: - Signals

/// Turns a signal into an event: blocks it in the calling thread and reads it from a signalfd.
///
/// Threads started later inherit the mask; a thread started earlier that does not block the signal
/// may still take it, so add signals before starting threads (signalfd(2), pthread_sigmask(3)).
/// Returns 0, -EEXIST (added already), -EINVAL (no such signal, or SIGKILL or SIGSTOP), -EMFILE,
/// -ENFILE, -ENOMEM.
EL_API int el_signal_add(el_loop *loop, int signal, uint64_t token);

/// Gives the signal its former place in the calling thread's mask back; one that is pending then is
/// delivered the ordinary way. Returns 0, or -ENOENT (not added).
EL_API int el_signal_remove(el_loop *loop, int signal);

#ifdef __cplusplus
}
#endif

#endif
