// Which descriptors may be watched, and how often each mode reports.
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "support.h"

CASE(descriptor_event_carries_token_and_readiness) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int ends[2];
    make_pair(ends);
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_LEVEL, 42) == 0);
    EXPECT(is_quiet(loop));
    send_byte(ends[1]);
    EXPECT(gives_only(loop, 42, EL_READY_READ));
    el_loop_destroy(loop);
    close_pair(ends);
}

CASE(descriptor_watched_twice_is_eexist) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int ends[2];
    make_pair(ends);
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_LEVEL, 1) == 0);
    EXPECT(el_fd_add(loop, ends[0], EL_WRITE, EL_LEVEL, 2) == -EEXIST);
    EXPECT(el_fd_add(loop, ends[0], 0, EL_LEVEL, 3) == -EEXIST);
    send_byte(ends[1]);
    EXPECT(gives_only(loop, 1, EL_READY_READ));
    el_loop_destroy(loop);
    close_pair(ends);
}

CASE(descriptor_not_watched_is_enoent) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int ends[2];
    make_pair(ends);
    EXPECT(el_fd_modify(loop, ends[0], EL_READ, EL_LEVEL, 1) == -ENOENT);
    EXPECT(el_fd_remove(loop, ends[0]) == -ENOENT);
    EXPECT(el_fd_remove(loop, -1) == -ENOENT);
    EXPECT(el_fd_remove(loop, 1 << 30) == -ENOENT);
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_LEVEL, 1) == 0);
    EXPECT(el_fd_remove(loop, ends[0]) == 0);
    EXPECT(el_fd_remove(loop, ends[0]) == -ENOENT);
    EXPECT(el_fd_modify(loop, ends[0], EL_READ, EL_LEVEL, 1) == -ENOENT);
    el_loop_destroy(loop);
    close_pair(ends);
}

CASE(descriptor_not_open_is_ebadf) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int closed = make_ready();
    close(closed);
    EXPECT(el_fd_add(loop, closed, EL_READ, EL_LEVEL, 1) == -EBADF);
    EXPECT(el_fd_add(loop, closed, 0, EL_LEVEL, 1) == -EBADF);
    EXPECT(el_fd_add(loop, -1, EL_READ, EL_LEVEL, 1) == -EBADF);
    EXPECT(el_fd_add(loop, 1 << 30, EL_READ, EL_LEVEL, 1) == -EBADF);
    EXPECT(el_fd_remove(loop, closed) == -ENOENT);
    el_loop_destroy(loop);
}

CASE(descriptor_closed_before_remove_is_ebadf_and_forgotten) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int fd = make_ready();
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_LEVEL, 1) == 0);
    close(fd);
    EXPECT(el_fd_remove(loop, fd) == -EBADF);
    EXPECT(el_fd_remove(loop, fd) == -ENOENT);
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
}

CASE(descriptor_with_unknown_flags_is_einval) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int fd = make_ready();
    EXPECT(el_fd_add(loop, fd, (el_interest)8, EL_LEVEL, 1) == -EINVAL);
    EXPECT(el_fd_add(loop, fd, (el_interest)(1u << 31 | EL_READ), EL_LEVEL, 1) == -EINVAL);
    EXPECT(el_fd_add(loop, fd, EL_READ, (el_mode)3, 1) == -EINVAL);
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_LEVEL, 1) == 0);
    EXPECT(el_fd_modify(loop, fd, (el_interest)256, EL_LEVEL, 1) == -EINVAL);
    EXPECT(el_fd_modify(loop, fd, EL_READ, (el_mode)-1, 1) == -EINVAL);
    EXPECT(gives_only(loop, 1, EL_READY_READ));
    el_loop_destroy(loop);
    close(fd);
}

CASE(descriptor_of_the_loop_itself_is_einval) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    EXPECT(el_fd_add(loop, el_loop_fd(loop), EL_READ, EL_LEVEL, 1) == -EINVAL);
    EXPECT(el_fd_add(loop, el_loop_fd(loop), 0, EL_LEVEL, 1) == -EINVAL);
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
}

CASE(descriptors_that_are_the_loops_own_cannot_be_touched) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    // Whatever numbers the loop chose are among these.
    for (int fd = 0; fd < 256; fd++) {
        EXPECT(el_fd_modify(loop, fd, 0, EL_LEVEL, 1) == -ENOENT);
        EXPECT(el_fd_remove(loop, fd) == -ENOENT);
    }
    el_event event;
    EXPECT(el_loop_wake(loop) == 0);
    EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1 && event.kind == EL_EVENT_WAKE);
    uint64_t deadline_ns = el_loop_now(loop) + MILLISECOND;
    EXPECT(el_loop_wait(loop, deadline_ns, &event, 1) == 0);
    el_loop_destroy(loop);
}

CASE(level_reports_as_long_as_ready) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int ends[2];
    make_pair(ends);
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_LEVEL, 1) == 0);
    send_byte(ends[1]);
    for (int i = 0; i < 5; i++) EXPECT(gives_only(loop, 1, EL_READY_READ));
    drain(ends[0]);
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
    close_pair(ends);
}

CASE(edge_reports_each_change_once) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int ends[2];
    make_pair(ends);
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_EDGE, 1) == 0);
    for (int i = 0; i < 3; i++) {
        send_byte(ends[1]); // unread bytes are no reason to keep silent about new ones
        EXPECT(gives_only(loop, 1, EL_READY_READ));
        EXPECT(is_quiet(loop));
    }
    el_loop_destroy(loop);
    close_pair(ends);
}

CASE(edge_reports_what_was_ready_before_it_was_added) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int fd = make_ready();
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_EDGE, 1) == 0);
    EXPECT(gives_only(loop, 1, EL_READY_READ));
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
    close(fd);
}

CASE(edge_modified_while_ready_reports_again) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int fd = make_ready();
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_EDGE, 1) == 0);
    EXPECT(gives_only(loop, 1, EL_READY_READ));
    EXPECT(el_fd_modify(loop, fd, EL_READ, EL_EDGE, 2) == 0);
    EXPECT(gives_only(loop, 2, EL_READY_READ));
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
    close(fd);
}

CASE(one_shot_reports_once_until_modified) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int ends[2];
    make_pair(ends);
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_ONE_SHOT, 1) == 0);
    send_byte(ends[1]);
    EXPECT(gives_only(loop, 1, EL_READY_READ));
    send_byte(ends[1]);
    EXPECT(is_quiet(loop));
    EXPECT(el_fd_modify(loop, ends[0], EL_READ, EL_ONE_SHOT, 2) == 0);
    EXPECT(gives_only(loop, 2, EL_READY_READ));
    EXPECT(is_quiet(loop));
    close(ends[1]);
    EXPECT(is_quiet(loop)); // not even the end of all
    el_loop_destroy(loop);
    close(ends[0]);
}

CASE(modify_replaces_interest_mode_and_token) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int ends[2];
    make_pair(ends);
    send_byte(ends[1]);
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_LEVEL, 1) == 0);
    EXPECT(el_fd_modify(loop, ends[0], EL_WRITE, EL_EDGE, 2) == 0);
    EXPECT(gives_only(loop, 2, EL_READY_WRITE));
    EXPECT(is_quiet(loop));
    EXPECT(el_fd_modify(loop, ends[0], EL_READ, EL_LEVEL, 3) == 0);
    EXPECT(gives_only(loop, 3, EL_READY_READ));
    EXPECT(gives_only(loop, 3, EL_READY_READ));
    el_loop_destroy(loop);
    close_pair(ends);
}

CASE(read_and_write_interest_both_stay_armed) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int ends[2];
    make_pair(ends);
    EXPECT(el_fd_add(loop, ends[0], EL_READ | EL_WRITE, EL_EDGE, 1) == 0);
    EXPECT(gives_only(loop, 1, EL_READY_WRITE));
    char block[4096] = {0};
    while (write(ends[0], block, sizeof block) > 0) {
    }
    EXPECT(is_quiet(loop));
    send_byte(ends[1]);
    EXPECT(gives_only(loop, 1, EL_READY_READ)); // the writer still waits
    drain(ends[1]);
    el_event event;
    EXPECT(poll_loop(loop, &event, 1) == 1);
    EXPECT(event.ready & EL_READY_WRITE);
    drain(ends[0]);
    send_byte(ends[1]);
    EXPECT(poll_loop(loop, &event, 1) == 1);
    EXPECT(event.ready & EL_READY_READ);
    el_loop_destroy(loop);
    close_pair(ends);
}

CASE(no_interest_reports_nothing_until_modified) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int fd = make_ready();
    EXPECT(el_fd_add(loop, fd, 0, EL_LEVEL, 1) == 0);
    EXPECT(is_quiet(loop));
    EXPECT(el_fd_modify(loop, fd, EL_READ, EL_LEVEL, 2) == 0);
    EXPECT(gives_only(loop, 2, EL_READY_READ));
    EXPECT(el_fd_modify(loop, fd, 0, EL_LEVEL, 3) == 0);
    EXPECT(el_fd_modify(loop, fd, 0, EL_EDGE, 4) == 0);
    EXPECT(is_quiet(loop));
    EXPECT(el_fd_remove(loop, fd) == 0);
    EXPECT(el_fd_remove(loop, fd) == -ENOENT);
    el_loop_destroy(loop);
    close(fd);
}

CASE(remove_ends_the_reports) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int fd = make_ready();
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_LEVEL, 1) == 0);
    EXPECT(el_fd_remove(loop, fd) == 0);
    EXPECT(is_quiet(loop));
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_LEVEL, 2) == 0);
    EXPECT(gives_only(loop, 2, EL_READY_READ));
    el_loop_destroy(loop);
    close(fd);
}

/// Two connected TCP sockets: only they know urgent data.
static bool make_tcp_pair(int ends[2]) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_connected = bind(listener, (struct sockaddr *)&address, length) == 0 &&
                        listen(listener, 1) == 0 &&
                        getsockname(listener, (struct sockaddr *)&address, &length) == 0 &&
                        connect(ends[0], (struct sockaddr *)&address, length) == 0;
    ends[1] = is_connected ? accept4(listener, NULL, NULL, SOCK_CLOEXEC) : -1;
    close(listener);
    return ends[1] >= 0;
}

CASE(priority_reports_urgent_data) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    int ends[2];
    if (!make_tcp_pair(ends)) {
        close(ends[0]);
        el_loop_destroy(loop);
        SKIP("no TCP on the loopback interface");
    }
    EXPECT(el_fd_add(loop, ends[0], EL_PRIORITY, EL_EDGE, 1) == 0);
    EXPECT(send(ends[1], "!", 1, MSG_OOB) == 1);
    el_event event;
    EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1);
    EXPECT(event.token == 1 && event.ready == EL_READY_PRIORITY);
    el_loop_destroy(loop);
    close_pair(ends);
}

CASE(nearly_twenty_thousand_descriptors_are_watched) {
    enum { COUNT = 19900 }; // many systems stop at 20,000
    struct rlimit old, raised = {COUNT + 100, COUNT + 100};
    EXPECT(getrlimit(RLIMIT_NOFILE, &old) == 0);
    if (raised.rlim_max < old.rlim_max) raised.rlim_max = old.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &raised) < 0) SKIP("the limit on open files cannot be raised to 20,000");
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int *fds = malloc(COUNT * sizeof *fds);
    bool *seen = calloc(COUNT, sizeof *seen);
    fds[0] = make_ready();
    for (int i = 1; i < COUNT; i++) fds[i] = dup(fds[0]); // each number has a watch of its own
    for (int i = 0; i < COUNT; i++) EXPECT(el_fd_add(loop, fds[i], EL_READ, EL_EDGE, (uint64_t)i) == 0);
    el_event events[MANY];
    int count, total = 0;
    while ((count = poll_loop(loop, events, MANY)) > 0) {
        for (int i = 0; i < count; i++) {
            EXPECT(!seen[events[i].token]);
            seen[events[i].token] = true;
        }
        total += count;
    }
    EXPECT(total == COUNT);
    el_loop_check(loop);
    for (int i = 0; i < COUNT; i++) EXPECT(el_fd_remove(loop, fds[i]) == 0);
    for (int i = 0; i < COUNT; i++) close(fds[i]);
    free(fds);
    free(seen);
    el_loop_destroy(loop);
    restore_limit(old);
}
