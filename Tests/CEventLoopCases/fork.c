// After fork: the child has a loop of its own, and its parent notices nothing.
#define _GNU_SOURCE

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "support.h"

/// Runs the rest of the case's story in a forked child: true if all held there.
#define IN_CHILD(call) child_held(in_child_begin() == 0 ? (call, end_child(), 0) : child_pid)

static pid_t child_pid;

static pid_t in_child_begin(void) { return child_pid = fork(); }

static bool gives_wake(el_loop *loop) {
    el_event event;
    return poll_loop(loop, &event, 1) == 1 && event.kind == EL_EVENT_WAKE;
}

static bool gives_signal(el_loop *loop, uint64_t token) {
    el_event event;
    return poll_loop(loop, &event, 1) == 1 && event.kind == EL_EVENT_SIGNAL && event.token == token;
}

static void use_descriptors(el_loop *loop, const int ends[2], const int added[2]) {
    EXPECT(el_loop_fork(loop) == 0);
    el_loop_check(loop);
    EXPECT(is_quiet(loop));
    send_byte(ends[1]);
    EXPECT(gives_only(loop, 1, EL_READY_READ));
    EXPECT(el_fd_modify(loop, ends[0], EL_WRITE, EL_ONE_SHOT, 5) == 0);
    EXPECT(gives_only(loop, 5, EL_READY_WRITE));
    EXPECT(el_fd_add(loop, added[0], EL_READ, EL_LEVEL, 6) == 0);
    send_byte(added[1]);
    EXPECT(gives_only(loop, 6, EL_READY_READ));
    EXPECT(el_fd_remove(loop, ends[0]) == 0);
    close(ends[0]);
    EXPECT(el_fd_add(loop, ends[1], EL_WRITE, EL_LEVEL, 7) == 0);
    el_loop_destroy(loop);
}

CASE(fork_gives_the_child_its_descriptors_and_leaves_the_parents) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int ends[2], added[2];
    make_pair(ends);
    make_pair(added);
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_LEVEL, 1) == 0);
    EXPECT(IN_CHILD(use_descriptors(loop, ends, added)));
    for (int i = 0; i < 3; i++) EXPECT(gives_only(loop, 1, EL_READY_READ)); // and no event of added[0]
    drain(ends[0]);
    EXPECT(is_quiet(loop));
    EXPECT(el_fd_remove(loop, ends[0]) == 0);
    el_loop_check(loop);
    el_loop_destroy(loop);
    close_pair(ends);
    close_pair(added);
}

static void use_modes(el_loop *loop, int edge, int spent, int armed, int silent, int file) {
    EXPECT(el_loop_fork(loop) == 0);
    el_event events[MANY];
    bool seen[5] = {false};
    EXPECT(poll_loop(loop, events, MANY) == 3);
    for (int i = 0; i < 3; i++) seen[events[i].token] = true;
    EXPECT(seen[0] && seen[2] && seen[4]); // the edge once more, the armed one, and the file
    EXPECT(gives_only(loop, 4, EL_READY_READ));
    EXPECT(el_fd_modify(loop, spent, EL_READ, EL_ONE_SHOT, 1) == 0);
    EXPECT(el_fd_remove(loop, file) == 0);
    EXPECT(gives_only(loop, 1, EL_READY_READ));
    EXPECT(el_fd_modify(loop, silent, EL_READ, EL_EDGE, 3) == 0);
    EXPECT(gives_only(loop, 3, EL_READY_READ));
    EXPECT(el_fd_remove(loop, edge) == 0 && el_fd_remove(loop, armed) == 0);
    el_loop_destroy(loop);
}

CASE(fork_keeps_each_descriptors_mode) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int edge = make_ready(), spent = make_ready(), armed = make_ready(), silent = make_ready();
    int file = open("/dev/null", O_RDWR | O_CLOEXEC);
    EXPECT(el_fd_add(loop, edge, EL_READ, EL_EDGE, 0) == 0);
    EXPECT(gives_only(loop, 0, EL_READY_READ));
    EXPECT(el_fd_add(loop, spent, EL_READ, EL_ONE_SHOT, 1) == 0);
    EXPECT(gives_only(loop, 1, EL_READY_READ));
    EXPECT(el_fd_add(loop, armed, EL_READ, EL_ONE_SHOT, 2) == 0);
    EXPECT(el_fd_add(loop, silent, 0, EL_LEVEL, 3) == 0);
    EXPECT(el_fd_add(loop, file, EL_READ, EL_LEVEL, 4) == 0);
    EXPECT(IN_CHILD(use_modes(loop, edge, spent, armed, silent, file)));
    el_event events[MANY];
    EXPECT(poll_loop(loop, events, MANY) == 2); // the armed one and the file: nothing was fired for us
    EXPECT(events[0].token == 2 && events[1].token == 4);
    el_loop_destroy(loop);
    const int fds[] = {edge, spent, armed, silent, file};
    for (int i = 0; i < 5; i++) close(fds[i]);
}

static void use_timers(el_loop *loop, el_timer kept, el_timer cancelled) {
    EXPECT(el_loop_fork(loop) == 0);
    EXPECT(el_timer_count(loop) == 2);
    EXPECT(el_timer_cancel(loop, cancelled) == 0);
    el_timer_start(loop, el_loop_update_now(loop) + MILLISECOND, 3);
    el_event first, second; // in either order, on a machine that is late
    EXPECT(el_loop_wait(loop, EL_NEVER, &first, 1) == 1 && first.kind == EL_EVENT_TIMER);
    EXPECT(el_loop_wait(loop, EL_NEVER, &second, 1) == 1 && second.kind == EL_EVENT_TIMER);
    EXPECT((first.token == 3 && second.token == 1) || (first.token == 1 && second.token == 3));
    EXPECT(el_timer_cancel(loop, kept) == -ENOENT);
    EXPECT(el_timer_count(loop) == 0);
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
}

CASE(fork_keeps_the_timers_and_gives_each_process_its_alarm) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    uint64_t start_ns = el_loop_now(loop);
    el_timer first = el_timer_start(loop, start_ns + 20 * MILLISECOND, 1);
    el_timer second = el_timer_start(loop, start_ns + 30 * MILLISECOND, 2);
    EXPECT(el_loop_arm(loop) >= 0); // the alarm is set when we part
    EXPECT(IN_CHILD(use_timers(loop, first, second)));
    el_event event;
    EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1 && event.token == 1);
    EXPECT(el_loop_now(loop) >= start_ns + 20 * MILLISECOND);
    EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1 && event.token == 2);
    EXPECT(el_loop_now(loop) >= start_ns + 30 * MILLISECOND);
    el_loop_destroy(loop);
}

static void set_an_alarm_and_go(el_loop *loop, el_timer parents) {
    EXPECT(el_loop_fork(loop) == 0);
    EXPECT(el_timer_cancel(loop, parents) == 0);
    el_timer_start(loop, el_loop_update_now(loop) + 1000 * SECOND, 9);
    EXPECT(el_loop_arm(loop) == 0);
    el_loop_destroy(loop);
}

CASE(fork_lets_no_child_set_its_parents_alarm) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    el_timer timer = el_timer_start(loop, el_loop_now(loop) + 20 * MILLISECOND, 1);
    EXPECT(el_loop_arm(loop) >= 0);
    EXPECT(IN_CHILD(set_an_alarm_and_go(loop, timer)));
    while (!is_readable(el_loop_fd(loop))) { // still set to what we had set it to
    }
    el_event event;
    EXPECT(poll_loop(loop, &event, 1) == 1 && event.token == 1);
    el_loop_destroy(loop);
}

static void ring(el_loop *loop) {
    EXPECT(el_loop_fork(loop) == 0);
    EXPECT(is_quiet(loop));
    for (int i = 0; i < 3; i++) {
        EXPECT(el_loop_wake(loop) == 0);
        EXPECT(gives_wake(loop));
        EXPECT(is_quiet(loop));
    }
    EXPECT(el_loop_wake(loop) == 0); // left behind
    el_loop_destroy(loop);
}

CASE(fork_gives_each_process_its_doorbell) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    EXPECT(IN_CHILD(ring(loop)));
    EXPECT(is_quiet(loop));
    EXPECT(el_loop_wake(loop) == 0);
    EXPECT(gives_wake(loop));
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
}

static void hear_the_ring(el_loop *loop) {
    EXPECT(el_loop_fork(loop) == 0);
    EXPECT(gives_wake(loop));
    EXPECT(is_quiet(loop));
    EXPECT(el_loop_wake(loop) == 0);
    EXPECT(gives_wake(loop));
    el_loop_destroy(loop);
}

CASE(fork_during_a_wake_reports_it_in_both) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    EXPECT(el_loop_wake(loop) == 0);
    EXPECT(IN_CHILD(hear_the_ring(loop)));
    EXPECT(gives_wake(loop));
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
}

static void use_signals(el_loop *loop) {
    EXPECT(el_loop_fork(loop) == 0);
    EXPECT(is_quiet(loop)); // what was pending stayed with the parent
    raise(SIGUSR1);
    EXPECT(gives_signal(loop, 1));
    kill(getpid(), SIGUSR2);
    EXPECT(gives_signal(loop, 2));
    EXPECT(el_signal_remove(loop, SIGUSR2) == 0);
    EXPECT(el_signal_add(loop, SIGTERM, 3) == 0);
    raise(SIGTERM);
    EXPECT(gives_signal(loop, 3));
    raise(SIGUSR1);
    el_loop_destroy(loop); // gives SIGUSR1 back: it is pending, and ignored
}

CASE(fork_gives_each_process_its_signals) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    signal(SIGUSR1, SIG_IGN);
    EXPECT(el_signal_add(loop, SIGUSR1, 1) == 0);
    EXPECT(el_signal_add(loop, SIGUSR2, 2) == 0);
    raise(SIGUSR2);
    EXPECT(IN_CHILD(use_signals(loop)));
    EXPECT(gives_signal(loop, 2));
    EXPECT(is_quiet(loop));
    raise(SIGUSR1);
    raise(SIGUSR2); // still ours: unread it would end us
    EXPECT(gives_signal(loop, 1));
    EXPECT(gives_signal(loop, 2));
    el_loop_destroy(loop);
}

static void use_loop_fd(el_loop *loop, int loop_fd, int foreign_fd) {
    EXPECT(el_loop_fork(loop) == 0);
    EXPECT(el_loop_fd(loop) == loop_fd);
    EXPECT(!is_readable(loop_fd));
    EXPECT(fcntl(loop_fd, F_GETFD) & FD_CLOEXEC);
    struct epoll_event watch = {.events = EPOLLIN};
    close(foreign_fd); // that is the parent's, too
    int own_fd = epoll_create1(EPOLL_CLOEXEC);
    EXPECT(epoll_ctl(own_fd, EPOLL_CTL_ADD, loop_fd, &watch) == 0);
    el_loop_wake(loop);
    EXPECT(epoll_wait(own_fd, &watch, 1, 0) == 1);
    EXPECT(gives_wake(loop));
    EXPECT(!is_readable(loop_fd));
    el_loop_wake(loop);
    el_loop_destroy(loop);
}

CASE(fork_keeps_the_number_of_the_loops_fd) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int loop_fd = el_loop_fd(loop), foreign_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event watch = {.events = EPOLLIN};
    EXPECT(epoll_ctl(foreign_fd, EPOLL_CTL_ADD, loop_fd, &watch) == 0);
    EXPECT(IN_CHILD(use_loop_fd(loop, loop_fd, foreign_fd)));
    EXPECT(epoll_wait(foreign_fd, &watch, 1, 0) == 0);
    el_loop_wake(loop);
    EXPECT(epoll_wait(foreign_fd, &watch, 1, 0) == 1);
    EXPECT(gives_wake(loop));
    EXPECT(epoll_wait(foreign_fd, &watch, 1, 0) == 0);
    el_loop_destroy(loop);
    close(foreign_fd);
}

static void see_no_status(el_loop *loop, pid_t sibling) {
    EXPECT(el_loop_fork(loop) == 0);
    EXPECT(is_quiet(loop));
    kill(sibling, SIGKILL);
    el_event event;
    EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1);
    EXPECT(event.kind == EL_EVENT_CHILD && event.ready == EL_CHILD_STATUS_UNKNOWN);
    EXPECT(is_quiet(loop));
    el_loop_check(loop);
    el_loop_destroy(loop);
}

CASE(fork_leaves_a_childs_status_to_its_parent) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    pid_t sibling = fork();
    while (sibling == 0) pause();
    el_child watched;
    if (el_child_add(loop, sibling, 1, &watched) == 0) {
        EXPECT(IN_CHILD(see_no_status(loop, sibling)));
        el_event event;
        EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1);
        EXPECT(event.kind == EL_EVENT_CHILD && event.ready == SIGKILL);
    } else {
        kill(sibling, SIGKILL);
        EXPECT(waitpid(sibling, NULL, 0) == sibling);
    }
    el_loop_destroy(loop);
}

static void find_no_number(el_loop *loop, int fd) {
    struct rlimit old = limit_free_fds(0);
    EXPECT(el_loop_fork(loop) == -EMFILE);
    restore_limit(old);
    EXPECT(el_loop_fork(loop) == 0);
    EXPECT(gives_only(loop, 1, EL_READY_READ));
    EXPECT(el_fd_remove(loop, fd) == 0);
    EXPECT(is_quiet(loop));
    raise(SIGUSR1);
    EXPECT(gives_signal(loop, 2));
    el_loop_destroy(loop);
}

CASE(fork_without_a_free_number_is_emfile_and_works_later) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int fd = make_ready();
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_LEVEL, 1) == 0);
    EXPECT(el_signal_add(loop, SIGUSR1, 2) == 0);
    EXPECT(IN_CHILD(find_no_number(loop, fd)));
    EXPECT(gives_only(loop, 1, EL_READY_READ));
    el_loop_destroy(loop);
    close(fd);
}

static void fork_again(el_loop *loop, int ends[2], int depth) {
    EXPECT(el_loop_fork(loop) == 0);
    EXPECT(is_quiet(loop));
    if (depth > 0) EXPECT(IN_CHILD(fork_again(loop, ends, depth - 1)));
    send_byte(ends[1]);
    EXPECT(gives_only(loop, 1, EL_READY_READ));
    drain(ends[0]);
    EXPECT(el_fd_remove(loop, ends[0]) == 0);
    el_loop_destroy(loop);
}

CASE(fork_of_a_forked_child_works) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int ends[2];
    make_pair(ends);
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_LEVEL, 1) == 0);
    EXPECT(IN_CHILD(fork_again(loop, ends, 2)));
    EXPECT(is_quiet(loop));
    send_byte(ends[1]);
    EXPECT(gives_only(loop, 1, EL_READY_READ));
    el_loop_destroy(loop);
    close_pair(ends);
}

CASE(fork_told_to_a_loop_that_did_not_fork_changes_nothing) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    int fd = make_ready();
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_LEVEL, 1) == 0);
    EXPECT(el_signal_add(loop, SIGUSR1, 2) == 0);
    raise(SIGUSR1);
    int before = count_open_fds();
    for (int i = 0; i < 3; i++) EXPECT(el_loop_fork(loop) == 0);
    EXPECT(count_open_fds() == before);
    el_event events[MANY];
    EXPECT(poll_loop(loop, events, MANY) == 2);
    EXPECT(events[0].token == 1 && events[1].token == 2);
    EXPECT(el_fd_remove(loop, fd) == 0);
    el_timer_start(loop, el_loop_update_now(loop) + MILLISECOND, 3);
    EXPECT(el_loop_wait(loop, EL_NEVER, events, MANY) == 1 && events[0].token == 3);
    el_loop_destroy(loop);
    close(fd);
}

static void destroy_only(el_loop *loop, const int ends[2]) {
    el_loop_destroy(loop);
    close_pair(ends);
}

CASE(fork_child_that_only_destroys_the_loop_leaves_the_parents) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    int ends[2], file = open("/dev/null", O_RDWR | O_CLOEXEC), loop_fd = el_loop_fd(loop);
    make_pair(ends);
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_LEVEL, 1) == 0);
    EXPECT(el_fd_add(loop, file, EL_READ, EL_ONE_SHOT, 2) == 0);
    EXPECT(el_signal_add(loop, SIGUSR1, 3) == 0);
    pid_t sibling = fork();
    while (sibling == 0) pause();
    el_child watched;
    bool is_watched = el_child_add(loop, sibling, 4, &watched) == 0;
    EXPECT(IN_CHILD(destroy_only(loop, ends)));
    EXPECT(gives_only(loop, 2, EL_READY_READ));
    EXPECT(is_quiet(loop));
    send_byte(ends[1]);
    EXPECT(is_readable(loop_fd));
    EXPECT(gives_only(loop, 1, EL_READY_READ));
    EXPECT(el_fd_remove(loop, ends[0]) == 0);
    raise(SIGUSR1);
    EXPECT(gives_signal(loop, 3));
    kill(sibling, SIGKILL);
    el_event event;
    if (is_watched) {
        EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1 && event.token == 4 && event.ready == SIGKILL);
    } else {
        EXPECT(waitpid(sibling, NULL, 0) == sibling);
    }
    el_loop_destroy(loop);
    close_pair(ends);
    close(file);
}
