// How a loop begins and ends, and that it takes nothing along.
#define _GNU_SOURCE

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "support.h"

CASE(loop_destroyed_leaves_nothing_behind) {
    int before = count_open_fds();
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    int fd = make_ready();
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_LEVEL, 1) == 0);
    EXPECT(el_signal_add(loop, SIGUSR1, 2) == 0);
    EXPECT(el_loop_fd(loop) >= 0);
    for (int i = 0; i < 1000; i++) el_timer_start(loop, EL_NEVER, 3);
    el_loop_wake(loop);
    el_loop_destroy(loop);
    EXPECT(count_open_fds() == before + 1); // the caller's stays open
    close(fd);
    el_loop_destroy(NULL);
}

CASE(loop_of_an_unknown_clock_is_einval) {
    el_loop *loop = (el_loop *)&loop;
    EXPECT(el_loop_create((el_clock)2, &loop) == -EINVAL);
    EXPECT(loop == NULL);
}

CASE(loop_needs_three_descriptors_or_none) {
    int before = count_open_fds();
    for (int room = 0; room < 3; room++) {
        el_loop *loop = (el_loop *)&loop;
        struct rlimit old = limit_free_fds(room);
        int result = el_loop_create(EL_CLOCK_MONOTONIC, &loop);
        restore_limit(old);
        EXPECT(result == -EMFILE);
        EXPECT(loop == NULL);
        EXPECT(count_open_fds() == before);
    }
    struct rlimit old = limit_free_fds(3);
    el_loop *loop;
    EXPECT(el_loop_create(EL_CLOCK_MONOTONIC, &loop) == 0);
    restore_limit(old);
    EXPECT(count_open_fds() == before + 3);
    el_loop_destroy(loop);
}

CASE(descriptors_of_a_loop_are_not_inherited) {
    bool was_open[256];
    for (int fd = 0; fd < 256; fd++) was_open[fd] = fcntl(fd, F_GETFD) >= 0;
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    EXPECT(el_loop_fd(loop) >= 0);
    EXPECT(el_signal_add(loop, SIGUSR1, 1) == 0);
    for (int fd = 0; fd < 256; fd++) {
        int flags = fcntl(fd, F_GETFD);
        EXPECT(was_open[fd] || flags < 0 || flags & FD_CLOEXEC);
    }
    el_loop_destroy(loop);
}

CASE(two_loops_at_once_know_nothing_of_each_other) {
    el_loop *first = make_loop(EL_CLOCK_MANUAL), *second = make_loop(EL_CLOCK_MANUAL);
    int fd = make_ready();
    EXPECT(el_fd_add(first, fd, EL_READ, EL_LEVEL, 1) == 0);
    EXPECT(el_fd_add(second, fd, EL_READ, EL_EDGE, 2) == 0);
    EXPECT(gives_only(first, 1, EL_READY_READ));
    EXPECT(gives_only(second, 2, EL_READY_READ));
    EXPECT(is_quiet(second));
    EXPECT(el_fd_remove(first, fd) == 0);
    el_timer timer = el_timer_start(first, 0, 3);
    EXPECT(el_timer_cancel(second, timer) == -ENOENT);
    EXPECT(el_clock_advance(second, 5) == 0);
    EXPECT(el_loop_now(first) == 0 && el_loop_now(second) == 5);
    EXPECT(el_loop_wake(second) == 0);
    el_event event;
    EXPECT(poll_loop(first, &event, 1) == 1 && event.token == 3);
    el_loop_destroy(first);
    EXPECT(poll_loop(second, &event, 1) == 1 && event.kind == EL_EVENT_WAKE);
    el_loop_destroy(second);
    close(fd);
}

CASE(loop_destroyed_in_a_forked_child_stays_whole_in_the_parent) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    int fd = make_ready();
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_EDGE, 1) == 0);
    EXPECT(el_signal_add(loop, SIGUSR1, 2) == 0);
    EXPECT(gives_only(loop, 1, EL_READY_READ));
    pid_t child = fork();
    if (child == 0) {
        el_loop_destroy(loop);
        _exit(0);
    }
    EXPECT(waitpid(child, NULL, 0) == child);
    el_event event;
    raise(SIGUSR1);
    EXPECT(poll_loop(loop, &event, 1) == 1 && event.token == 2);
    EXPECT(el_fd_modify(loop, fd, EL_READ, EL_EDGE, 3) == 0);
    EXPECT(gives_only(loop, 3, EL_READY_READ));
    uint64_t deadline_ns = el_loop_now(loop) + MILLISECOND;
    EXPECT(el_loop_wait(loop, deadline_ns, &event, 1) == 0);
    el_loop_destroy(loop);
    close(fd);
}
