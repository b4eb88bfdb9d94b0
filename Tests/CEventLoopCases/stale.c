// Descriptors closed behind the loop's back: their numbers come back, their events must not.
//
// epoll watches the open file, so a duplicate keeps a closed descriptor's watch alive, and nothing but a
// new epoll set can end it.
#define _GNU_SOURCE

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "support.h"

/// Leaves a watch in the kernel that is ready, that nobody wants, and that nobody can remove.
/// Returns the duplicate that keeps it alive.
static int leave_stale_watch(el_loop *loop) {
    int fd = make_ready();
    el_fd_add(loop, fd, EL_READ, EL_LEVEL, 666);
    int duplicate = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    close(fd);
    el_fd_remove(loop, fd);
    return duplicate;
}

CASE(number_closed_and_reused_can_be_watched_again) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int fd = make_ready();
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_EDGE, 1) == 0);
    EXPECT(gives_only(loop, 1, EL_READY_READ));
    close(fd);
    EXPECT(make_ready() == fd);
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_EDGE, 2) == 0);
    EXPECT(gives_only(loop, 2, EL_READY_READ));
    close(fd);
    EXPECT(make_ready() == fd);
    EXPECT(el_fd_add(loop, fd, 0, EL_EDGE, 3) == 0);
    EXPECT(el_fd_modify(loop, fd, EL_READ, EL_EDGE, 4) == 0);
    EXPECT(gives_only(loop, 4, EL_READY_READ));
    el_loop_destroy(loop);
    close(fd);
}

CASE(number_of_a_silent_descriptor_reused_can_be_watched_again) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int fd = make_ready();
    EXPECT(el_fd_add(loop, fd, 0, EL_LEVEL, 1) == 0);
    close(fd);
    EXPECT(make_ready() == fd);
    EXPECT(el_fd_add(loop, fd, 0, EL_LEVEL, 2) == 0);
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_LEVEL, 3) == 0);
    EXPECT(gives_only(loop, 3, EL_READY_READ));
    el_loop_destroy(loop);
    close(fd);
}

CASE(late_remove_does_not_hit_the_numbers_new_owner) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL), *other = make_loop(EL_CLOCK_MANUAL);
    int fd = make_ready();
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_LEVEL, 1) == 0);
    close(fd);
    EXPECT(make_ready() == fd);
    EXPECT(el_fd_add(other, fd, EL_READ, EL_LEVEL, 2) == 0);
    EXPECT(el_fd_remove(loop, fd) == -EBADF);
    EXPECT(is_quiet(loop));
    EXPECT(gives_only(other, 2, EL_READY_READ));
    el_loop_destroy(loop);
    el_loop_destroy(other);
    close(fd);
}

CASE(number_given_back_to_its_forgotten_file_can_be_watched_again) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int ends[2];
    make_pair(ends);
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_LEVEL, 1) == 0);
    int duplicate = fcntl(ends[0], F_DUPFD_CLOEXEC, 0);
    close(ends[0]);
    EXPECT(el_fd_remove(loop, ends[0]) == -EBADF);
    EXPECT(dup3(duplicate, ends[0], O_CLOEXEC) == ends[0]);
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_LEVEL, 2) == 0);
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_LEVEL, 3) == -EEXIST);
    send_byte(ends[1]);
    EXPECT(gives_only(loop, 2, EL_READY_READ));
    EXPECT(el_fd_remove(loop, ends[0]) == 0);
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
    close(duplicate);
    close_pair(ends);
}

CASE(stale_event_of_a_removed_descriptor_never_surfaces) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int ends[2];
    make_pair(ends);
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_LEVEL, 1) == 0);
    int duplicate = fcntl(ends[0], F_DUPFD_CLOEXEC, 0);
    close(ends[0]);
    EXPECT(el_fd_remove(loop, ends[0]) == -EBADF);
    send_byte(ends[1]);
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
    close(duplicate);
    close(ends[1]);
}

CASE(stale_event_never_reaches_the_numbers_new_owner) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int old[2], new[2];
    make_pair(old);
    make_pair(new);
    EXPECT(el_fd_add(loop, old[0], EL_READ, EL_LEVEL, 1) == 0);
    int duplicate = fcntl(old[0], F_DUPFD_CLOEXEC, 0), number = old[0];
    EXPECT(dup3(new[0], number, O_CLOEXEC) == number);
    EXPECT(el_fd_add(loop, number, EL_READ, EL_LEVEL, 2) == 0);
    send_byte(old[1]);
    EXPECT(is_quiet(loop));
    send_byte(new[1]);
    EXPECT(gives_only(loop, 2, EL_READY_READ));
    el_loop_destroy(loop);
    close(duplicate);
    close_pair(old);
    close_pair(new);
}

CASE(stale_event_of_a_file_held_by_a_child_never_surfaces) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int ends[2];
    make_pair(ends);
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_LEVEL, 1) == 0);
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    close(ends[0]);
    EXPECT(el_fd_remove(loop, ends[0]) == -EBADF);
    send_byte(ends[1]);
    EXPECT(is_quiet(loop)); // though the child also holds the old epoll set
    kill(child, SIGKILL);
    EXPECT(waitpid(child, NULL, 0) == child);
    el_loop_destroy(loop);
    close(ends[1]);
}

CASE(stale_events_among_live_ones_do_not_hide_them) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int stale[8], live[8];
    for (int i = 0; i < 8; i++) {
        stale[i] = leave_stale_watch(loop);
        live[i] = make_ready();
        EXPECT(el_fd_add(loop, live[i], EL_READ, EL_LEVEL, (uint64_t)i) == 0);
    }
    el_event events[MANY];
    for (int round = 0; round < 3; round++) {
        bool seen[8] = {false};
        EXPECT(poll_loop(loop, events, MANY) == 8);
        for (int i = 0; i < 8; i++) {
            EXPECT(events[i].token < 8 && !seen[events[i].token]);
            seen[events[i].token] = true;
        }
    }
    for (int i = 0; i < 8; i++) EXPECT(el_fd_remove(loop, live[i]) == 0);
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
    for (int i = 0; i < 8; i++) close(stale[i]), close(live[i]);
}

CASE(stale_events_that_fill_the_batch_do_not_end_a_poll) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int stale = leave_stale_watch(loop), live = make_ready();
    EXPECT(el_fd_add(loop, live, EL_READ, EL_LEVEL, 1) == 0);
    el_event event;
    EXPECT(poll_loop(loop, &event, 1) == 1);
    EXPECT(event.token == 1);
    el_loop_destroy(loop);
    close(stale);
    close(live);
}

CASE(rebuilt_set_keeps_wakes_timers_and_signals) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    EXPECT(el_signal_add(loop, SIGUSR1, 7) == 0);
    int stale = leave_stale_watch(loop);
    EXPECT(is_quiet(loop));
    el_event event;
    el_loop_wake(loop);
    EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1 && event.kind == EL_EVENT_WAKE);
    el_timer_start(loop, el_loop_now(loop) + MILLISECOND, 8);
    EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1 && event.token == 8);
    raise(SIGUSR1);
    EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1 && event.token == 7);
    el_loop_destroy(loop);
    close(stale);
}

CASE(rebuilt_set_keeps_a_spent_one_shot_silent) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int fd = make_ready();
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_ONE_SHOT, 1) == 0);
    EXPECT(gives_only(loop, 1, EL_READY_READ));
    int stale = leave_stale_watch(loop);
    EXPECT(is_quiet(loop));
    EXPECT(el_fd_modify(loop, fd, EL_READ, EL_ONE_SHOT, 2) == 0);
    EXPECT(gives_only(loop, 2, EL_READY_READ));
    close(stale);
    stale = leave_stale_watch(loop);
    EXPECT(is_quiet(loop));
    EXPECT(el_fd_remove(loop, fd) == 0);
    el_loop_destroy(loop);
    close(stale);
    close(fd);
}

CASE(rebuilt_set_keeps_an_armed_one_shot_and_a_silent_one) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int ends[2], silent = make_ready();
    make_pair(ends);
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_ONE_SHOT, 1) == 0);
    EXPECT(el_fd_add(loop, silent, 0, EL_LEVEL, 2) == 0);
    int stale = leave_stale_watch(loop);
    EXPECT(is_quiet(loop));
    send_byte(ends[1]);
    EXPECT(gives_only(loop, 1, EL_READY_READ));
    EXPECT(el_fd_modify(loop, silent, EL_READ, EL_LEVEL, 3) == 0);
    EXPECT(gives_only(loop, 3, EL_READY_READ));
    el_loop_destroy(loop);
    close(stale);
    close(silent);
    close_pair(ends);
}

CASE(rebuilt_set_does_not_watch_a_number_for_its_next_file) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int fd = make_ready();
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_LEVEL, 1) == 0);
    close(fd);
    EXPECT(make_ready() == fd); // another file, which nobody adds
    EXPECT(is_quiet(loop));
    int stale = leave_stale_watch(loop);
    EXPECT(is_quiet(loop));
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_LEVEL, 2) == 0);
    EXPECT(gives_only(loop, 2, EL_READY_READ));
    el_loop_destroy(loop);
    close(stale);
    close(fd);
}

CASE(rebuilt_set_is_still_watched_by_a_foreign_epoll) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int loop_fd = el_loop_fd(loop), foreign_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event watch = {.events = EPOLLIN};
    EXPECT(epoll_ctl(foreign_fd, EPOLL_CTL_ADD, loop_fd, &watch) == 0);
    int stale = leave_stale_watch(loop);
    EXPECT(epoll_wait(foreign_fd, &watch, 1, 0) == 1);
    EXPECT(is_quiet(loop));
    EXPECT(el_loop_fd(loop) == loop_fd);
    EXPECT(epoll_wait(foreign_fd, &watch, 1, 0) == 0);
    el_loop_wake(loop);
    EXPECT(epoll_wait(foreign_fd, &watch, 1, 0) == 1);
    el_loop_destroy(loop);
    close(foreign_fd);
    close(stale);
}

CASE(rebuild_without_a_free_number_is_made_up_for_later) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int stale = leave_stale_watch(loop), live = make_ready();
    EXPECT(el_loop_fd(loop) >= 0);
    EXPECT(el_fd_add(loop, live, EL_READ, EL_LEVEL, 1) == 0);
    struct rlimit old = limit_free_fds(0);
    for (int i = 0; i < 3; i++) EXPECT(gives_only(loop, 1, EL_READY_READ));
    EXPECT(el_fd_remove(loop, live) == 0);
    el_event event;
    EXPECT(poll_loop(loop, &event, 1) == 0); // and a poll ends
    restore_limit(old);
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
    close(stale);
    close(live);
}
