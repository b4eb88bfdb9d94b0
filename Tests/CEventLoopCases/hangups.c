// Ends and errors: the events that the kernel reports unasked.
#define _GNU_SOURCE

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "support.h"

CASE(hangup_without_interest_is_silent_and_does_not_spin) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int ends[2];
    make_pair(ends);
    EXPECT(el_fd_add(loop, ends[0], 0, EL_LEVEL, 1) == 0);
    close(ends[1]);
    EXPECT(is_quiet(loop));
    EXPECT(el_fd_modify(loop, ends[0], EL_READ, EL_LEVEL, 1) == 0);
    EXPECT(gives_only(loop, 1, EL_READY_READ | EL_READY_READ_HANGUP | EL_READY_HANGUP));
    EXPECT(el_fd_modify(loop, ends[0], 0, EL_LEVEL, 1) == 0);
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
    close(ends[0]);
}

CASE(hangup_is_reported_with_any_interest) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    const el_interest interests[] = {EL_READ, EL_WRITE, EL_PRIORITY};
    for (int i = 0; i < 3; i++) {
        int ends[2];
        make_pair(ends);
        close(ends[1]);
        EXPECT(el_fd_add(loop, ends[0], interests[i], EL_EDGE, 1) == 0);
        el_event event;
        EXPECT(poll_loop(loop, &event, 1) == 1);
        EXPECT(event.ready & EL_READY_HANGUP);
        EXPECT(is_quiet(loop));
        EXPECT(el_fd_remove(loop, ends[0]) == 0);
        close(ends[0]);
    }
    el_loop_destroy(loop);
}

CASE(half_open_peer_is_a_read_hangup_only) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int ends[2];
    make_pair(ends);
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_EDGE, 1) == 0);
    EXPECT(shutdown(ends[1], SHUT_WR) == 0);
    EXPECT(gives_only(loop, 1, EL_READY_READ | EL_READY_READ_HANGUP));
    EXPECT(is_quiet(loop));
    char byte;
    EXPECT(read(ends[0], &byte, 1) == 0);
    EXPECT(write(ends[0], "x", 1) == 1); // the other direction still works
    el_loop_destroy(loop);
    close_pair(ends);
}

CASE(half_open_peer_is_no_news_for_a_writer) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int ends[2];
    make_pair(ends);
    char block[4096] = {0};
    while (write(ends[0], block, sizeof block) > 0) {
    }
    EXPECT(el_fd_add(loop, ends[0], EL_WRITE, EL_LEVEL, 1) == 0);
    EXPECT(shutdown(ends[1], SHUT_WR) == 0);
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
    close_pair(ends);
}

CASE(hangup_leaves_the_data_before_it_readable) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int ends[2];
    make_pair(ends);
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_EDGE, 1) == 0);
    EXPECT(write(ends[1], "end", 3) == 3);
    close(ends[1]);
    EXPECT(gives_only(loop, 1, EL_READY_READ | EL_READY_READ_HANGUP | EL_READY_HANGUP));
    char bytes[8];
    EXPECT(read(ends[0], bytes, sizeof bytes) == 3 && memcmp(bytes, "end", 3) == 0);
    EXPECT(read(ends[0], bytes, sizeof bytes) == 0);
    el_loop_destroy(loop);
    close(ends[0]);
}

CASE(pipe_without_writer_is_a_hangup) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int ends[2];
    EXPECT(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_EDGE, 1) == 0);
    close(ends[1]);
    EXPECT(gives_only(loop, 1, EL_READY_HANGUP));
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
    close(ends[0]);
}

CASE(pipe_without_reader_is_an_error) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int ends[2];
    EXPECT(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
    EXPECT(el_fd_add(loop, ends[1], EL_WRITE, EL_EDGE, 1) == 0);
    EXPECT(gives_only(loop, 1, EL_READY_WRITE));
    close(ends[0]);
    EXPECT(gives_only(loop, 1, EL_READY_WRITE | EL_READY_ERROR));
    el_loop_destroy(loop);
    close(ends[1]);
}

CASE(socket_not_connected_yet_hangs_up_once_per_edge) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    EXPECT(el_fd_add(loop, fd, EL_READ | EL_WRITE, EL_EDGE, 1) == 0);
    EXPECT(gives_only(loop, 1, EL_READY_WRITE | EL_READY_HANGUP));
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
    close(fd);
}
