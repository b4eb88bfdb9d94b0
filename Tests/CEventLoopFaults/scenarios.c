#define _GNU_SOURCE

#include "scenarios.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "CEventLoop.h"
#include "report.h"
#include "rules.h"
#include "seam.h"

static const uint64_t MILLISECOND = 1000000;
/// More waits than any number of faults can take an event away from.
enum { MOST_WAITS = 12, MANY = 64 };

static el_loop *loop;
static int result;       // of the last call
static bool was_faulted; // the last call: it owed its caller an error, and the next may work

// MARK: - Calls of the reactor, held against the rules

static int settle(int value) {
    bool is_faulted = false, is_owed = false, is_paid = false;
    for (int i = 0; i < MOST_FAULTS; i++) {
        struct fault *fault = &faults[i];
        if (!fault->is_now) continue;
        is_faulted = true;
        if (fault->rule->fate == ABSORBED) continue;
        if (fault->rule->fate == EITHER && value >= 0) continue;
        is_owed = true;
        is_paid |= value == (fault->rule->fate == FORGOTTEN ? -EBADF : -fault->error);
        fault->times = 0; // "the same call works when its turn comes"
    }
    // A wait that has events to hand out keeps an error for the next one, which meets it again.
    if (is_owed && value > 0 && strcmp(seam_function(), "el_loop_wait") == 0) is_paid = true;
    if (is_owed && !is_paid) report("%s returned %d instead of the error", seam_function(), value);
    if (is_faulted && !is_owed && value < 0) report("%s returned %d", seam_function(), value);
    was_faulted = is_owed && value < 0;
    result = value;
    seam_leave();
    if (loop != NULL) el_loop_check(loop);
    return value;
}

/// Calls a function of the reactor: `CALL_OF(el_fd_add, loop, …)`.
#define CALL_OF(function, ...) (seam_enter(#function), settle(function(__VA_ARGS__)))

#define EXPECT(condition)                                                                                    \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            report("%s:%d: expected %s (the last call returned %d)", __FILE__, __LINE__, #condition,         \
                   result);                                                                                  \
            return;                                                                                          \
        }                                                                                                    \
    } while (0)

/// Calls it, again when a fault took the call before, and expects it to work.
#define MUST(function, ...)                                                                                  \
    do {                                                                                                     \
        do {                                                                                                 \
            CALL_OF(function, __VA_ARGS__);                                                                  \
        } while (was_faulted);                                                                               \
        EXPECT(result >= 0);                                                                                 \
    } while (0)

static void create(el_clock clock) {
    do {
        seam_enter("el_loop_create");
        el_loop *made = (el_loop *)&made;
        int value = el_loop_create(clock, &made);
        loop = made;
        settle(value);
        if (value < 0) EXPECT(loop == NULL && seam_blocks() == 0 && seam_descriptors() == 0);
    } while (was_faulted);
    EXPECT(loop != NULL);
}

static void destroy(void) {
    seam_enter("el_loop_destroy");
    el_loop_destroy(loop);
    loop = NULL;
    settle(0);
}

static int start_once(uint64_t deadline_ns, uint64_t token, el_timer *timer) {
    seam_enter("el_timer_start");
    uint64_t count = el_timer_count(loop);
    *timer = el_timer_start(loop, deadline_ns, token);
    if (el_timer_count(loop) != count + (*timer != 0)) report("el_timer_start counts wrong");
    return settle(*timer == 0 ? -ENOMEM : 0);
}

static el_timer start(uint64_t deadline_ns, uint64_t token) {
    el_timer timer;
    do {
        start_once(deadline_ns, token, &timer);
    } while (was_faulted);
    if (timer == 0) report("el_timer_start does not work any more");
    return timer;
}

static uint64_t now(void) {
    seam_enter("el_loop_update_now");
    uint64_t now_ns = el_loop_update_now(loop);
    settle(0);
    seam_enter("el_loop_now");
    if (el_loop_now(loop) != now_ns) report("the time moves between two waits");
    settle(0);
    return now_ns;
}

static uint64_t earliest(void) {
    seam_enter("el_timer_earliest");
    uint64_t deadline_ns = el_timer_earliest(loop);
    settle(0);
    return deadline_ns;
}

/// Removing works at once, or says that the descriptor had been closed, and has forgotten it.
static void forget(int fd) {
    if (CALL_OF(el_fd_remove, loop, fd) < 0) EXPECT(was_faulted);
    EXPECT(el_fd_remove(loop, fd) == -ENOENT);
}

static bool is_same(el_event one, el_event other) {
    if (one.kind != other.kind || one.token != other.token) return false;
    // How late a timer is noticed is not for a scenario to say.
    return one.kind == EL_EVENT_TIMER || one.ready == other.ready;
}

/// Waits until each of the events has come, and takes no other. With a deadline in the future, the first
/// wait has to block, or find events.
static void collect_by(uint64_t deadline_ns, int capacity, const el_event *wanted, int count) {
    bool seen[MANY] = {false};
    int missing = count;
    for (int round = 0; round < MOST_WAITS + count && missing > 0; round++) {
        el_event events[MANY];
        if (CALL_OF(el_loop_wait, loop, deadline_ns, events, capacity) < 0) EXPECT(was_faulted);
        for (int i = 0; i < result; i++) {
            int match = 0;
            while (match < count && (seen[match] || !is_same(events[i], wanted[match]))) match++;
            if (match < count) {
                seen[match] = true;
                missing--;
                continue;
            }
            // What is level-triggered, and a bell that could not be silenced, come again.
            bool may_repeat = false;
            for (int j = 0; j < count; j++) may_repeat |= is_same(events[i], wanted[j]);
            EXPECT(may_repeat && (events[i].kind == EL_EVENT_FD || events[i].kind == EL_EVENT_WAKE));
        }
    }
    EXPECT(missing == 0);
}

#define COLLECT_BY(deadline_ns, capacity, ...)                                                               \
    do {                                                                                                     \
        const el_event wanted[] = {__VA_ARGS__};                                                             \
        collect_by(deadline_ns, capacity, wanted, (int)(sizeof wanted / sizeof *wanted));                    \
    } while (0)
#define COLLECT(...) COLLECT_BY(0, MANY, __VA_ARGS__)

#define IS_READABLE(token) ((el_event){token, EL_EVENT_FD, EL_READY_READ})
#define IS_WRITABLE(token) ((el_event){token, EL_EVENT_FD, EL_READY_WRITE})
#define IS_DUE(token) ((el_event){token, EL_EVENT_TIMER, 0})
#define IS_WOKEN ((el_event){0, EL_EVENT_WAKE, 0})
#define IS_SENT(number, token) ((el_event){token, EL_EVENT_SIGNAL, (uint32_t)(number)})

/// Nothing comes, but for a bell that could not be silenced, and in the end nothing is ready.
static void expect_silence(void) {
    int silent = 0;
    for (int round = 0; round < MOST_WAITS && silent < 4; round++) {
        el_event events[MANY];
        if (CALL_OF(el_loop_wait, loop, 0, events, MANY) < 0) EXPECT(was_faulted);
        for (int i = 0; i < result; i++) EXPECT(events[i].kind == EL_EVENT_WAKE);
        silent = result == 0 ? silent + 1 : 0;
    }
    EXPECT(silent == 4);
}

static bool is_readable(int fd) {
    struct pollfd watch = {.fd = fd, .events = POLLIN};
    return poll(&watch, 1, 0) == 1;
}

static int make_ready(void) { return eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC); }

static void wake(void) { MUST(el_loop_wake, loop); }

/// Whatever has happened to the loop: it does all that it is for. Expects nothing else to be ready.
static void use(void) {
    int fd = make_ready();
    MUST(el_fd_add, loop, fd, EL_READ, EL_EDGE, 901);
    start(0, 902);
    wake();
    MUST(el_signal_add, loop, SIGURG, 903);
    raise(SIGURG);
    COLLECT(IS_READABLE(901), IS_DUE(902), IS_WOKEN, IS_SENT(SIGURG, 903));
    expect_silence();
    MUST(el_signal_remove, loop, SIGURG);
    EXPECT(el_signal_remove(loop, SIGURG) == -ENOENT);
    forget(fd);
    close(fd);
    expect_silence();
}

// MARK: - The scenarios

static void life(void) {
    create(EL_CLOCK_MANUAL);
    use();
    destroy();
    create(EL_CLOCK_MONOTONIC);
    destroy();
}

static void descriptors(void) {
    create(EL_CLOCK_MANUAL);
    int level = make_ready(), edge = make_ready(), once = make_ready(), silent = make_ready();
    MUST(el_fd_add, loop, level, EL_READ, EL_LEVEL, 1);
    MUST(el_fd_add, loop, edge, EL_READ, EL_EDGE, 2);
    MUST(el_fd_add, loop, once, EL_READ, EL_ONE_SHOT, 3);
    MUST(el_fd_add, loop, silent, 0, EL_LEVEL, 4);
    COLLECT(IS_READABLE(1), IS_READABLE(2), IS_READABLE(3));
    MUST(el_fd_modify, loop, level, 0, EL_LEVEL, 5); // out of the epoll set
    expect_silence();
    MUST(el_fd_modify, loop, silent, EL_WRITE, EL_EDGE, 6); // and into it
    MUST(el_fd_modify, loop, once, EL_READ, EL_ONE_SHOT, 7);
    MUST(el_fd_modify, loop, edge, EL_WRITE, EL_EDGE, 8);
    COLLECT(IS_WRITABLE(6), IS_READABLE(7), IS_WRITABLE(8));
    expect_silence();
    forget(level);
    forget(edge);
    forget(once);
    forget(silent);
    expect_silence();
    close(level);
    close(edge);
    close(once);
    close(silent);
    use();
    destroy();
}

static void tables_that_grow(void) {
    create(EL_CLOCK_MANUAL);
    int low = make_ready();
    int high = fcntl(low, F_DUPFD_CLOEXEC, 700);
    MUST(el_fd_add, loop, low, EL_READ, EL_EDGE, 1);
    MUST(el_fd_add, loop, high, EL_READ, EL_EDGE, 2);
    COLLECT(IS_READABLE(1), IS_READABLE(2));
    forget(low);
    forget(high);
    close(high);
    close(low);
    use();
    destroy();
}

enum { TIMERS = 700 };

static void timers(void) {
    create(EL_CLOCK_MANUAL);
    static el_timer timers[TIMERS];
    for (uint64_t i = 0; i < TIMERS; i++) timers[i] = start(100 + i, i);
    for (int i = 0; i < TIMERS - 3; i++) MUST(el_timer_cancel, loop, timers[i]);
    EXPECT(el_timer_count(loop) == 3);
    EXPECT(earliest() == 100 + TIMERS - 3);
    expect_silence();
    el_clock_advance(loop, 10000);
    COLLECT_BY(0, 1, IS_DUE(TIMERS - 3), IS_DUE(TIMERS - 2), IS_DUE(TIMERS - 1));
    for (uint64_t i = 0; i < TIMERS; i++) timers[i] = start(i, i);
    int seen = 0;
    for (int round = 0; round < TIMERS && seen < TIMERS; round++) {
        el_event events[MANY];
        if (CALL_OF(el_loop_wait, loop, EL_NEVER, events, MANY) < 0) EXPECT(was_faulted);
        for (int i = 0; i < result; i++) EXPECT(events[i].token == (uint64_t)seen++);
    }
    EXPECT(seen == TIMERS && el_timer_count(loop) == 0);
    use();
    destroy();
}

enum { FEW_TIMERS = 20 };

/// Some, of which the first is cancelled: who asks for the earliest now has to look for it.
static void start_without_first(uint64_t deadline_ns) {
    el_timer first = start(deadline_ns, 0);
    for (uint64_t i = 1; i < FEW_TIMERS; i++) start(deadline_ns + i, i);
    MUST(el_timer_cancel, loop, first);
}

static void timers_far_apart(void) {
    create(EL_CLOCK_MANUAL);
    start_without_first(100);
    EXPECT(earliest() == 101);
    for (uint64_t bit = 12; bit < 63; bit += 6) start(1ull << bit, bit);
    EXPECT(earliest() == 101);
    el_clock_advance(loop, 1ull << 62);
    uint64_t last_token = 0;
    int seen = 0;
    for (int round = 0; round < MOST_WAITS + MANY && el_timer_count(loop) > 0; round++) {
        el_event events[4];
        if (CALL_OF(el_loop_wait, loop, EL_NEVER, events, 4) < 0) EXPECT(was_faulted);
        for (int i = 0; i < result; i++, seen++) {
            EXPECT(events[i].token > last_token || events[i].token == 12);
            last_token = events[i].token;
        }
    }
    EXPECT(seen == FEW_TIMERS - 1 + 9);
    start_without_first(1ull << 63);
    MUST(el_loop_arm, loop);
    EXPECT(result == 0);
    use();
    destroy();
    create(EL_CLOCK_MANUAL);
    el_timer others[FEW_TIMERS];
    for (uint64_t i = 0; i < FEW_TIMERS; i++) others[i] = start(i < 2 ? i : 5, i);
    MUST(el_timer_cancel, loop, others[0]); // those that differ are gone when somebody looks
    MUST(el_timer_cancel, loop, others[1]);
    EXPECT(earliest() == 5);
    for (int i = 2; i < FEW_TIMERS; i++) MUST(el_timer_cancel, loop, others[i]);
    start_without_first(100);
    expect_silence();
    use();
    destroy();
}

/// More is due than there is room for, and descriptors take turns with it.
static void timers_left_over(void) {
    create(EL_CLOCK_MONOTONIC);
    int fd = make_ready();
    MUST(el_fd_add, loop, fd, EL_READ, EL_LEVEL, 1);
    for (uint64_t i = 0; i < 5; i++) start(i, 10 + i);
    COLLECT_BY(EL_NEVER, 2, IS_READABLE(1), IS_DUE(10), IS_DUE(11), IS_DUE(12), IS_DUE(13), IS_DUE(14));
    forget(fd);
    close(fd);
    for (uint64_t i = 0; i < 3; i++) start(i, 20 + i);
    COLLECT_BY(0, 2, IS_DUE(20), IS_DUE(21), IS_DUE(22));
    use();
    destroy();
}

static void alarms(void) {
    create(EL_CLOCK_MONOTONIC);
    start(now() + MILLISECOND / 10, 1);
    COLLECT_BY(EL_NEVER, MANY, IS_DUE(1));
    el_timer cancelled = start(now() + MILLISECOND / 20, 2);
    start(now() + MILLISECOND / 10, 3);
    MUST(el_timer_cancel, loop, cancelled);
    COLLECT_BY(EL_NEVER, 1, IS_DUE(3));
    // The wait's own deadline.
    uint64_t deadline_ns = now() + MILLISECOND / 10;
    for (int i = 0; i < MOST_WAITS; i++) {
        el_event events[MANY];
        if (CALL_OF(el_loop_wait, loop, deadline_ns, events, MANY) < 0) EXPECT(was_faulted);
        EXPECT(result <= 0);
        if (result == 0) break;
    }
    EXPECT(result == 0 && now() >= deadline_ns);
    use();
    destroy();
}

static void wakes(void) {
    create(EL_CLOCK_MONOTONIC);
    for (int i = 0; i < 3; i++) {
        wake();
        wake();
        COLLECT_BY(EL_NEVER, 1, IS_WOKEN);
        expect_silence();
    }
    // A loop that has no signals, in a process that takes it over.
    wake();
    MUST(el_loop_fork, loop);
    use();
    destroy();
}

static void signals(void) {
    create(EL_CLOCK_MONOTONIC);
    MUST(el_signal_add, loop, SIGUSR1, 1);
    MUST(el_signal_add, loop, SIGRTMIN, 2);
    MUST(el_signal_add, loop, SIGUSR2, 3);
    raise(SIGUSR1);
    for (int i = 0; i < 3; i++) sigqueue(getpid(), SIGRTMIN, (union sigval){0});
    COLLECT_BY(EL_NEVER, 2, IS_SENT(SIGUSR1, 1), IS_SENT(SIGRTMIN, 2), IS_SENT(SIGRTMIN, 2),
               IS_SENT(SIGRTMIN, 2));
    expect_silence();
    MUST(el_signal_remove, loop, SIGRTMIN);
    raise(SIGUSR2);
    COLLECT_BY(EL_NEVER, 1, IS_SENT(SIGUSR2, 3));
    use();
    destroy(); // with two of them
}

/// Of a signal that was blocked before: it is not ours any more, nor delivered.
static void signals_blocked_before(void) {
    sigset_t one, before;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &one, &before);
    create(EL_CLOCK_MANUAL);
    MUST(el_signal_add, loop, SIGUSR1, 1);
    MUST(el_signal_add, loop, SIGUSR2, 2);
    MUST(el_signal_remove, loop, SIGUSR1);
    raise(SIGUSR1);
    raise(SIGUSR2);
    COLLECT(IS_SENT(SIGUSR2, 2));
    expect_silence();
    int number = 0;
    EXPECT(sigwait(&one, &number) == 0 && number == SIGUSR1);
    use();
    destroy();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/// A descriptor that was closed before it was removed, while a duplicate keeps its file open.
static void stale_watches(void) {
    create(EL_CLOCK_MANUAL);
    MUST(el_loop_fd, loop);
    int outside_fd = result;
    int level = make_ready(), once = make_ready(), armed = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int silent = make_ready();
    MUST(el_fd_add, loop, level, EL_READ, EL_LEVEL, 1);
    MUST(el_fd_add, loop, once, EL_READ, EL_ONE_SHOT, 2);
    MUST(el_fd_add, loop, armed, EL_READ, EL_ONE_SHOT, 3);
    MUST(el_fd_add, loop, silent, 0, EL_LEVEL, 4);
    MUST(el_signal_add, loop, SIGUSR1, 5);
    COLLECT(IS_READABLE(1), IS_READABLE(2));
    // Closed, and still in the table when the epoll set is built anew: the kernel knows better.
    int quiet = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    MUST(el_fd_add, loop, quiet, EL_READ, EL_LEVEL, 9);
    for (int round = 0; round < 2; round++) {
        int closed = make_ready(), held = fcntl(closed, F_DUPFD_CLOEXEC, 200);
        MUST(el_fd_add, loop, closed, EL_READ, EL_LEVEL, 6);
        close(closed);
        CALL_OF(el_fd_remove, loop, closed);
        EXPECT(result == -EBADF);
        if (round == 0) close(quiet);
        MUST(el_fd_modify, loop, level, 0, EL_LEVEL, 1);
        expect_silence();
        EXPECT(!is_readable(outside_fd));
        MUST(el_fd_modify, loop, level, EL_READ, EL_LEVEL, 1);
        EXPECT(el_fd_remove(loop, quiet) == -ENOENT);
        COLLECT(IS_READABLE(1));
        close(held);
    }
    raise(SIGUSR1);
    EXPECT(write(armed, &(uint64_t){1}, sizeof(uint64_t)) > 0);
    MUST(el_fd_modify, loop, once, EL_READ, EL_ONE_SHOT, 7);
    MUST(el_fd_modify, loop, silent, EL_READ, EL_ONE_SHOT, 8); // not edge: a set built anew reports it again
    COLLECT(IS_READABLE(1), IS_READABLE(3), IS_SENT(SIGUSR1, 5), IS_READABLE(7), IS_READABLE(8));
    EXPECT(is_readable(outside_fd));
    forget(level);
    expect_silence();
    EXPECT(!is_readable(outside_fd));
    forget(armed);
    forget(once);
    forget(silent);
    close(level);
    close(once);
    close(armed);
    close(silent);
    use();
    destroy();
}

/// Files that epoll refuses, beside an eventfd that it takes.
static void files(void) {
    create(EL_CLOCK_MANUAL);
    int level = open("/dev/null", O_RDWR | O_CLOEXEC), edge = fcntl(level, F_DUPFD_CLOEXEC, 300);
    int fd = make_ready();
    MUST(el_fd_add, loop, level, EL_READ, EL_LEVEL, 1);
    MUST(el_fd_add, loop, edge, EL_WRITE, EL_EDGE, 2);
    MUST(el_fd_add, loop, fd, EL_READ, EL_EDGE, 3);
    COLLECT_BY(EL_NEVER, 2, IS_READABLE(1), IS_WRITABLE(2), IS_READABLE(3));
    MUST(el_loop_arm, loop);
    EXPECT(result == 1);
    MUST(el_fd_modify, loop, level, 0, EL_LEVEL, 4);
    expect_silence();
    MUST(el_fd_modify, loop, edge, EL_WRITE, EL_ONE_SHOT, 5);
    COLLECT(IS_WRITABLE(5));
    forget(level);
    forget(edge);
    forget(fd);
    expect_silence();
    close(level);
    close(edge);
    close(fd);
    use();
    destroy();
}

/// One that ends and one that is removed; the status may have gone to somebody else.
static void children(void) {
    int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (pidfd < 0) return; // an old kernel, or an emulated one
    close(pidfd);
    create(EL_CLOCK_MONOTONIC);
    pid_t pids[2];
    el_child watches[2];
    for (int i = 0; i < 2; i++) {
        pids[i] = fork();
        while (pids[i] == 0) pause();
        MUST(el_child_add, loop, pids[i], (uint64_t)i, &watches[i]);
    }
    expect_silence();
    MUST(el_child_remove, loop, watches[1]);
    EXPECT(el_child_remove(loop, watches[1]) == -ENOENT);
    MUST(el_child_signal, loop, watches[0], SIGKILL);
    el_event event = {0};
    for (int round = 0; round < MOST_WAITS && event.kind == 0; round++) {
        if (CALL_OF(el_loop_wait, loop, EL_NEVER, &event, 1) < 0) EXPECT(was_faulted);
    }
    EXPECT(event.kind == EL_EVENT_CHILD && event.token == 0);
    EXPECT(event.ready == SIGKILL || event.ready == EL_CHILD_STATUS_UNKNOWN);
    EXPECT(waitpid(pids[0], NULL, 0) == (event.ready == SIGKILL ? -1 : pids[0]));
    kill(pids[1], SIGKILL);
    EXPECT(waitpid(pids[1], NULL, 0) == pids[1]);
    use();
    destroy();
}

/// In the process itself, where each step shows: it may be told so at any time.
static void forks(void) {
    create(EL_CLOCK_MONOTONIC);
    MUST(el_loop_fd, loop);
    int outside_fd = result, fd = make_ready();
    MUST(el_fd_add, loop, fd, EL_READ, EL_LEVEL, 1);
    MUST(el_signal_add, loop, SIGUSR1, 2);
    wake();
    MUST(el_loop_fork, loop);
    start(now(), 3);
    raise(SIGUSR1);
    COLLECT_BY(EL_NEVER, MANY, IS_READABLE(1), IS_SENT(SIGUSR1, 2), IS_DUE(3), IS_WOKEN);
    forget(fd);
    close(fd);
    expect_silence();
    MUST(el_loop_fd, loop);
    EXPECT(result == outside_fd && !is_readable(outside_fd));
    use();
    destroy();
}

/// A number that is given back to the file that it stood for when the loop forgot it.
static void numbers_given_back(void) {
    create(EL_CLOCK_MANUAL);
    int fd = make_ready(), held = fcntl(fd, F_DUPFD_CLOEXEC, 200);
    for (uint64_t interest = 0; interest < 2; interest++) {
        MUST(el_fd_add, loop, fd, EL_READ, EL_LEVEL, 1);
        do {
            CALL_OF(el_fd_add, loop, fd, EL_READ, EL_LEVEL, 2);
        } while (was_faulted);
        EXPECT(result == -EEXIST);
        close(fd);
        CALL_OF(el_fd_remove, loop, fd);
        EXPECT(result == -EBADF);
        // Meanwhile it stands for another, which is registered without interest.
        int other = make_ready();
        EXPECT(dup2(other, fd) == fd);
        if (other != fd) close(other);
        MUST(el_fd_add, loop, fd, 0, EL_LEVEL, 4);
        EXPECT(dup2(held, fd) == fd);
        MUST(el_fd_add, loop, fd, (el_interest)interest, EL_LEVEL, 3);
        if (interest == 0) expect_silence();
        if (interest != 0) COLLECT(IS_READABLE(3));
        forget(fd);
        expect_silence();
    }
    close(fd);
    close(held);
    use();
    destroy();
}

static void embedding(void) {
    create(EL_CLOCK_MONOTONIC);
    MUST(el_loop_fd, loop);
    int outside_fd = result;
    MUST(el_loop_arm, loop);
    EXPECT(result == 0 && !is_readable(outside_fd));
    start(now() + MILLISECOND / 10, 1);
    MUST(el_loop_arm, loop);
    EXPECT(result == 1 || poll(&(struct pollfd){.fd = outside_fd, .events = POLLIN}, 1, -1) == 1);
    COLLECT_BY(EL_NEVER, 1, IS_DUE(1));
    start(0, 2);
    MUST(el_loop_arm, loop);
    EXPECT(result == 1);
    COLLECT(IS_DUE(2));
    MUST(el_loop_fd, loop);
    EXPECT(result == outside_fd);
    use();
    destroy();
}

static void connections(void) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    result = 0;
    EXPECT(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 8) == 0);
    EXPECT(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
    EXPECT(connect(client, (struct sockaddr *)&address, length) == 0);
    MUST(el_fd_accept, listener);
    int accepted = result;
    EXPECT(fcntl(accepted, F_GETFD) == FD_CLOEXEC && fcntl(accepted, F_GETFL) & O_NONBLOCK);
    CALL_OF(el_fd_accept, listener);
    EXPECT(result == -EAGAIN || was_faulted);
    close(accepted);
    close(client);
    close(listener);
}

const struct scenario scenarios[] = {
    {"life", life},
    {"descriptors", descriptors},
    {"tables that grow", tables_that_grow},
    {"timers", timers},
    {"timers far apart", timers_far_apart},
    {"timers left over", timers_left_over},
    {"alarms", alarms},
    {"wakes", wakes},
    {"signals", signals},
    {"signals blocked before", signals_blocked_before},
    {"stale watches", stale_watches},
    {"files", files},
    {"children", children},
    {"forks", forks},
    {"numbers given back", numbers_given_back},
    {"embedding", embedding},
    {"connections", connections},
};
const int scenario_count = sizeof scenarios / sizeof *scenarios;
