// What a wait returns, in which order, how much at a time, and when.
#define _GNU_SOURCE

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#include "support.h"

static uint64_t real_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

CASE(wait_without_room_is_einval) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    el_event event;
    EXPECT(el_loop_wait(loop, 0, &event, 0) == -EINVAL);
    EXPECT(el_loop_wait(loop, EL_NEVER, NULL, -1) == -EINVAL);
    el_loop_destroy(loop);
}

CASE(wait_until_a_passed_deadline_only_polls) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    el_event event;
    EXPECT(el_loop_wait(loop, 0, &event, 1) == 0);
    EXPECT(el_loop_wait(loop, 1, &event, 1) == 0);
    EXPECT(el_loop_wait(loop, el_loop_now(loop), &event, 1) == 0);
    el_loop_wake(loop);
    EXPECT(el_loop_wait(loop, 0, &event, 1) == 1 && event.kind == EL_EVENT_WAKE);
    el_loop_destroy(loop);
}

CASE(wait_ends_at_its_deadline_and_not_before) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    el_event event;
    for (int i = 0; i < 20; i++) {
        uint64_t deadline_ns = el_loop_now(loop) + (uint64_t)i * 100 * MICROSECOND;
        EXPECT(el_loop_wait(loop, deadline_ns, &event, 1) == 0);
        EXPECT(real_now() >= deadline_ns);
        EXPECT(el_loop_now(loop) >= deadline_ns);
    }
    el_loop_destroy(loop);
}

CASE(wait_with_an_enormous_deadline_does_not_end_at_once) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    const uint64_t deadlines_ns[] = {EL_NEVER,         EL_NEVER - 1,        1ull << 63,
                                     (1ull << 63) - 1, 1000000000000000000, 1ull << 62};
    el_event event;
    for (size_t i = 0; i < sizeof deadlines_ns / sizeof *deadlines_ns; i++) {
        // The timer is the event to wait for; were the deadline mistaken for a past one, none would come.
        el_timer_start(loop, el_loop_update_now(loop) + MILLISECOND, i);
        EXPECT(el_loop_wait(loop, deadlines_ns[i], &event, 1) == 1 && event.token == i);
        el_timer far = el_timer_start(loop, deadlines_ns[i], 99);
        uint64_t soon_ns = el_loop_update_now(loop) + MILLISECOND;
        EXPECT(el_loop_wait(loop, soon_ns, &event, 1) == 0);
        EXPECT(el_timer_cancel(loop, far) == 0);
    }
    el_loop_destroy(loop);
}

CASE(wait_below_a_millisecond_sleeps) {
    enum { WAITS = 50 };
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    struct rusage before, after;
    EXPECT(getrusage(RUSAGE_THREAD, &before) == 0);
    el_event event;
    for (int i = 0; i < WAITS; i++) {
        el_timer_start(loop, el_loop_update_now(loop) + 900 * MICROSECOND, 1);
        EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1);
    }
    EXPECT(getrusage(RUSAGE_THREAD, &after) == 0);
    // A poll never gives the processor away. A busy machine may bring us to a deadline late, hence half.
    EXPECT(after.ru_nvcsw - before.ru_nvcsw >= WAITS / 2);
    el_loop_destroy(loop);
}

CASE(wait_reports_descriptors_then_timers_by_deadline_and_start) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int fd = make_ready();
    const uint64_t deadlines_ns[] = {5, 3, 5, 0, 3};
    const uint64_t order[] = {3, 1, 4, 0, 2};
    for (uint64_t i = 0; i < 5; i++) el_timer_start(loop, deadlines_ns[i], i);
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_LEVEL, 99) == 0);
    EXPECT(el_clock_advance(loop, 5) == 0);
    el_event events[MANY];
    EXPECT(poll_loop(loop, events, MANY) == 6);
    EXPECT(events[0].kind == EL_EVENT_FD && events[0].token == 99);
    for (int i = 0; i < 5; i++) {
        EXPECT(events[i + 1].kind == EL_EVENT_TIMER && events[i + 1].token == order[i]);
        EXPECT(events[i + 1].ready == 5 - deadlines_ns[order[i]]);
    }
    el_loop_destroy(loop);
    close(fd);
}

CASE(wait_with_any_capacity_loses_nothing) {
    enum { FDS = 50, TIMERS = 50, SOURCES = FDS + TIMERS + 1 };
    const int capacities[] = {1, 2, 3, 64};
    for (int c = 0; c < 4; c++) {
        el_loop *loop = make_loop(EL_CLOCK_MANUAL);
        int fds[FDS], seen[SOURCES] = {0};
        for (int i = 0; i < FDS; i++) {
            fds[i] = make_ready();
            EXPECT(el_fd_add(loop, fds[i], EL_READ, EL_EDGE, (uint64_t)i + 1) == 0);
        }
        for (int i = 0; i < TIMERS; i++) el_timer_start(loop, 0, (uint64_t)(FDS + i + 1));
        el_loop_wake(loop); // its token is 0
        el_event events[MANY];
        int count;
        while ((count = poll_loop(loop, events, capacities[c])) > 0) {
            EXPECT(count <= capacities[c]);
            for (int i = 0; i < count; i++) seen[events[i].token]++;
        }
        EXPECT(count == 0);
        for (int i = 0; i < SOURCES; i++) EXPECT(seen[i] == 1);
        el_loop_destroy(loop);
        for (int i = 0; i < FDS; i++) close(fds[i]);
    }
}

CASE(wait_lets_descriptors_and_timers_take_turns) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int fd = make_ready();
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_LEVEL, 1) == 0);
    for (int i = 0; i < 20; i++) el_timer_start(loop, 0, 2);
    el_event event, last = {0};
    for (int i = 0; i < 40; i++) {
        EXPECT(poll_loop(loop, &event, 1) == 1);
        EXPECT(event.kind != last.kind);
        last = event;
    }
    EXPECT(el_timer_count(loop) == 0);
    el_loop_destroy(loop);
    close(fd);
}

CASE(wait_lets_many_ready_descriptors_take_turns) {
    enum { FDS = 10 };
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int fds[FDS], seen[FDS] = {0};
    for (int i = 0; i < FDS; i++) {
        fds[i] = make_ready();
        EXPECT(el_fd_add(loop, fds[i], EL_READ, EL_LEVEL, (uint64_t)i) == 0);
    }
    el_event events[3];
    for (int i = 0; i < FDS; i++) {
        EXPECT(poll_loop(loop, events, 3) == 3);
        for (int j = 0; j < 3; j++) seen[events[j].token]++;
    }
    for (int i = 0; i < FDS; i++) EXPECT(seen[i] == 3);
    el_loop_destroy(loop);
    for (int i = 0; i < FDS; i++) close(fds[i]);
}

CASE(timers_left_over_come_first_in_the_next_wait) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int fd = make_ready();
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_LEVEL, 99) == 0);
    for (uint64_t i = 0; i < 4; i++) el_timer_start(loop, i, i);
    EXPECT(el_clock_advance(loop, 10) == 0);
    el_event events[4];
    EXPECT(poll_loop(loop, events, 3) == 3);
    EXPECT(events[0].token == 99 && events[1].token == 0 && events[2].token == 1);
    EXPECT(poll_loop(loop, events, 4) == 3);
    EXPECT(events[0].token == 2 && events[1].token == 3 && events[2].token == 99);
    el_loop_destroy(loop);
    close(fd);
}

CASE(timers_left_over_do_not_stop_the_clock) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    for (int i = 0; i < 4; i++) el_timer_start(loop, 0, 1);
    el_event event;
    for (int i = 0; i < 4; i++) {
        uint64_t before_ns = real_now();
        EXPECT(poll_loop(loop, &event, 1) == 1);
        EXPECT(el_loop_now(loop) >= before_ns);
    }
    el_loop_destroy(loop);
}

CASE(more_descriptors_than_one_batch_are_all_reported) {
    enum { FDS = 1300 };
    struct rlimit old, raised;
    EXPECT(getrlimit(RLIMIT_NOFILE, &old) == 0);
    raised = old;
    if (old.rlim_cur < FDS + 50) raised.rlim_cur = FDS + 50;
    if (setrlimit(RLIMIT_NOFILE, &raised) < 0) SKIP("the limit on open files cannot be raised to 1,350");
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    static int fds[FDS], seen[FDS];
    static el_event events[2 * FDS];
    fds[0] = make_ready();
    for (int i = 1; i < FDS; i++) fds[i] = dup(fds[0]);
    for (int i = 0; i < FDS; i++) EXPECT(el_fd_add(loop, fds[i], EL_READ, EL_EDGE, (uint64_t)i) == 0);
    int count;
    while ((count = poll_loop(loop, events, 2 * FDS)) > 0) {
        for (int i = 0; i < count; i++) seen[events[i].token]++;
    }
    for (int i = 0; i < FDS; i++) EXPECT(seen[i] == 1);
    el_loop_destroy(loop);
    for (int i = 0; i < FDS; i++) close(fds[i]);
    restore_limit(old);
}

CASE(alarm_of_a_cancelled_timer_does_not_end_a_poll) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    int ends[2];
    make_pair(ends);
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_LEVEL, 1) == 0);
    el_timer timer = arm_soon(loop, 2);
    while (!is_readable(el_loop_fd(loop))) {
    }
    EXPECT(el_timer_cancel(loop, timer) == 0);
    send_byte(ends[1]);
    EXPECT(gives_only(loop, 1, EL_READY_READ)); // with room for two …
    el_event event;
    EXPECT(el_fd_modify(loop, ends[0], 0, EL_LEVEL, 1) == 0);
    timer = arm_soon(loop, 2);
    while (!is_readable(el_loop_fd(loop))) {
    }
    EXPECT(el_timer_cancel(loop, timer) == 0);
    EXPECT(el_fd_modify(loop, ends[0], EL_READ, EL_LEVEL, 1) == 0);
    EXPECT(poll_loop(loop, &event, 1) == 1); // … and for one, which the alarm had taken
    EXPECT(event.token == 1);
    el_loop_destroy(loop);
    close_pair(ends);
}

// MARK: - Signal handlers that run during a wait

static volatile sig_atomic_t handled;
static el_loop *loop_to_wake;

static void count_signal(int number) {
    (void)number;
    handled++;
}

static void wake_loop(int number) {
    (void)number;
    int interrupted = errno;
    errno = ERANGE;
    el_loop_wake(loop_to_wake);
    if (errno == ERANGE) handled++;
    errno = interrupted;
}

static void handle(int number, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler}; // no SA_RESTART; epoll_wait knows none anyway
    sigaction(number, &action, NULL);
}

CASE(interruptions_neither_end_nor_prolong_a_wait) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    handle(SIGALRM, count_signal);
    struct itimerval each_millisecond = {{0, 1000}, {0, 1000}}, off = {{0, 0}, {0, 0}};
    uint64_t deadline_ns = el_loop_now(loop) + 30 * MILLISECOND;
    EXPECT(setitimer(ITIMER_REAL, &each_millisecond, NULL) == 0);
    el_event event;
    EXPECT(el_loop_wait(loop, deadline_ns, &event, 1) == 0);
    EXPECT(setitimer(ITIMER_REAL, &off, NULL) == 0);
    EXPECT(real_now() >= deadline_ns);
    EXPECT(handled > 0);
    el_loop_destroy(loop);
}

CASE(interruptions_do_not_make_a_timer_early) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    handle(SIGALRM, count_signal);
    struct itimerval each_millisecond = {{0, 1000}, {0, 1000}}, off = {{0, 0}, {0, 0}};
    uint64_t deadline_ns = el_loop_now(loop) + 30 * MILLISECOND;
    el_timer_start(loop, deadline_ns, 1);
    EXPECT(setitimer(ITIMER_REAL, &each_millisecond, NULL) == 0);
    el_event event;
    EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1);
    EXPECT(setitimer(ITIMER_REAL, &off, NULL) == 0);
    EXPECT(event.kind == EL_EVENT_TIMER && real_now() >= deadline_ns);
    el_loop_destroy(loop);
}

CASE(wake_from_a_signal_handler_ends_the_wait_and_keeps_errno) {
    el_loop *loop = loop_to_wake = make_loop(EL_CLOCK_MONOTONIC);
    handle(SIGALRM, wake_loop);
    struct itimerval once = {{0, 0}, {0, 2000}};
    EXPECT(setitimer(ITIMER_REAL, &once, NULL) == 0);
    el_event event;
    EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1);
    EXPECT(event.kind == EL_EVENT_WAKE && handled == 1);
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
}

struct interrupter {
    pthread_t target;
    el_loop *loop;
};

static void *interrupt(void *argument) {
    struct interrupter *interrupter = argument;
    for (int i = 0; i < 100; i++) pthread_kill(interrupter->target, SIGUSR1);
    el_loop_wake(interrupter->loop);
    return NULL;
}

CASE(interruptions_by_another_thread_are_absorbed) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    handle(SIGUSR1, count_signal);
    struct interrupter interrupter = {pthread_self(), loop};
    pthread_t thread;
    EXPECT(pthread_create(&thread, NULL, interrupt, &interrupter) == 0);
    el_event event;
    EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1);
    EXPECT(event.kind == EL_EVENT_WAKE && handled > 0);
    pthread_join(thread, NULL);
    el_loop_destroy(loop);
}
