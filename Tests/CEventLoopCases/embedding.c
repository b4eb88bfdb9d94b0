// A loop inside another: its epoll fd is all that the other has to watch.
#define _GNU_SOURCE

#include <poll.h>
#include <sys/epoll.h>

#include "support.h"

static bool becomes_readable(int fd) {
    struct pollfd watch = {.fd = fd, .events = POLLIN};
    return poll(&watch, 1, -1) == 1;
}

CASE(loop_fd_is_readable_while_there_are_events) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int ends[2];
    make_pair(ends);
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_LEVEL, 1) == 0);
    EXPECT(!is_readable(el_loop_fd(loop)));
    send_byte(ends[1]);
    EXPECT(is_readable(el_loop_fd(loop)));
    drain(ends[0]);
    EXPECT(!is_readable(el_loop_fd(loop)));
    el_loop_wake(loop);
    EXPECT(is_readable(el_loop_fd(loop)));
    el_loop_destroy(loop);
    close_pair(ends);
}

CASE(loop_fd_without_a_free_descriptor_is_emfile) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    struct rlimit old = limit_free_fds(0);
    EXPECT(el_loop_fd(loop) == -EMFILE);
    restore_limit(old);
    int fd = el_loop_fd(loop);
    EXPECT(fd >= 0 && el_loop_fd(loop) == fd);
    el_loop_destroy(loop);
}

CASE(armed_loop_is_readable_when_its_timer_is_due) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    el_event event;
    for (uint64_t i = 0; i < 5; i++) {
        arm_soon(loop, i);
        uint64_t deadline_ns = el_timer_earliest(loop);
        EXPECT(becomes_readable(el_loop_fd(loop)));
        EXPECT(poll_loop(loop, &event, 1) == 1);
        EXPECT(event.kind == EL_EVENT_TIMER && event.token == i);
        EXPECT(el_loop_now(loop) >= deadline_ns);
        EXPECT(is_quiet(loop));
    }
    el_loop_destroy(loop);
}

CASE(arming_says_when_a_timer_is_due_already) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    EXPECT(el_loop_arm(loop) == 0);
    el_timer far = el_timer_start(loop, el_loop_now(loop) + 1000 * SECOND, 1);
    EXPECT(el_loop_arm(loop) == 0);
    el_timer_start(loop, el_loop_now(loop), 2);
    EXPECT(el_loop_arm(loop) == 1);
    el_event event;
    EXPECT(poll_loop(loop, &event, 1) == 1 && event.token == 2);
    EXPECT(el_loop_arm(loop) == 0);
    EXPECT(el_timer_cancel(loop, far) == 0);
    EXPECT(el_loop_arm(loop) == 0);
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
}

CASE(arming_with_the_manual_clock_says_what_is_due) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    el_timer_start(loop, 10, 1);
    EXPECT(el_loop_arm(loop) == 0);
    EXPECT(!is_readable(el_loop_fd(loop)));
    EXPECT(el_clock_advance(loop, 10) == 0);
    EXPECT(el_loop_arm(loop) == 1);
    el_loop_destroy(loop);
}

CASE(loop_watches_another_loop) {
    el_loop *outer = make_loop(EL_CLOCK_MONOTONIC), *inner = make_loop(EL_CLOCK_MONOTONIC);
    el_event event;
    EXPECT(el_fd_add(outer, el_loop_fd(inner), EL_READ, EL_LEVEL, 1) == 0);
    EXPECT(is_quiet(outer));
    el_loop_wake(inner);
    EXPECT(gives_only(outer, 1, EL_READY_READ));
    EXPECT(poll_loop(inner, &event, 1) == 1 && event.kind == EL_EVENT_WAKE);
    EXPECT(is_quiet(outer));
    arm_soon(inner, 5);
    EXPECT(el_loop_wait(outer, EL_NEVER, &event, 1) == 1 && event.token == 1);
    EXPECT(poll_loop(inner, &event, 1) == 1 && event.token == 5);
    EXPECT(is_quiet(outer));
    el_loop_destroy(inner);
    el_loop_destroy(outer);
}

CASE(loop_watched_edge_triggered_reports_each_wake) {
    el_loop *outer = make_loop(EL_CLOCK_MANUAL), *inner = make_loop(EL_CLOCK_MANUAL);
    el_event event;
    EXPECT(el_fd_add(outer, el_loop_fd(inner), EL_READ, EL_EDGE, 1) == 0);
    for (int i = 0; i < 3; i++) {
        EXPECT(is_quiet(outer));
        el_loop_wake(inner);
        EXPECT(gives_only(outer, 1, EL_READY_READ));
        EXPECT(poll_loop(inner, &event, 1) == 1 && event.kind == EL_EVENT_WAKE);
    }
    el_loop_destroy(inner);
    el_loop_destroy(outer);
}

CASE(loops_cannot_watch_each_other) {
    el_loop *first = make_loop(EL_CLOCK_MANUAL), *second = make_loop(EL_CLOCK_MANUAL);
    EXPECT(el_fd_add(first, el_loop_fd(second), EL_READ, EL_LEVEL, 1) == 0);
    EXPECT(el_fd_add(second, el_loop_fd(first), EL_READ, EL_LEVEL, 2) == -ELOOP);
    el_loop_wake(second);
    EXPECT(gives_only(first, 1, EL_READY_READ));
    el_loop_destroy(first);
    el_loop_destroy(second);
}
