// What connecting, listening and datagram sockets make of readiness.
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "support.h"

/// A TCP listener on the loopback interface, and where it listens; or -1.
static int make_listener(struct sockaddr_in *address, int backlog) {
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof *address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)address, length) == 0 && listen(listener, backlog) == 0 &&
        getsockname(listener, (struct sockaddr *)address, &length) == 0) {
        return listener;
    }
    close(listener);
    return -1;
}

static int start_connecting(const struct sockaddr_in *address) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int result = connect(fd, (const struct sockaddr *)address, sizeof *address);
    if (result == 0 || errno == EINPROGRESS) return fd;
    close(fd);
    return -1;
}

static int pending_error(int fd) {
    int error = -1;
    socklen_t length = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    return error;
}

static const char no_tcp[] = "no TCP on the loopback interface";

CASE(listener_watched_for_writing_is_quiet) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    struct sockaddr_in address;
    int listener = make_listener(&address, 4);
    if (listener < 0) {
        el_loop_destroy(loop);
        SKIP(no_tcp);
    }
    EXPECT(el_fd_add(loop, listener, EL_READ | EL_WRITE, EL_LEVEL, 1) == 0);
    EXPECT(is_quiet(loop));
    int client = start_connecting(&address);
    el_event event;
    EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1 && event.ready == EL_READY_READ);
    int server = el_fd_accept(listener);
    EXPECT(server >= 0);
    EXPECT(is_quiet(loop));
    EXPECT(el_fd_modify(loop, listener, EL_WRITE, EL_LEVEL, 1) == 0);
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
    const int fds[] = {listener, client, server};
    for (int i = 0; i < 3; i++) close(fds[i]);
}

CASE(sockets_neither_connected_nor_listening_do_not_spin) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    const int domains[] = {AF_INET, AF_UNIX};
    for (int i = 0; i < 2; i++) {
        int fd = socket(domains[i], SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0) continue;
        EXPECT(el_fd_add(loop, fd, 0, EL_LEVEL, 1) == 0); // registered before its connect, say
        EXPECT(is_quiet(loop));
        EXPECT(el_fd_modify(loop, fd, EL_READ | EL_WRITE, EL_EDGE, 1) == 0);
        EXPECT(gives_only(loop, 1, EL_READY_WRITE | EL_READY_HANGUP));
        EXPECT(is_quiet(loop));
        EXPECT(el_fd_remove(loop, fd) == 0);
        close(fd);
    }
    el_loop_destroy(loop);
}

CASE(connect_that_fails_at_once_leaves_no_registration) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    struct sockaddr_un nowhere = {.sun_family = AF_UNIX, .sun_path = "\0nobody listens here"};
    for (uint64_t i = 0; i < 3; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        EXPECT(el_fd_add(loop, fd, EL_READ | EL_WRITE, EL_EDGE, i) == 0);
        EXPECT(connect(fd, (struct sockaddr *)&nowhere, sizeof nowhere) == -1 && errno == ECONNREFUSED);
        EXPECT(el_fd_remove(loop, fd) == 0);
        close(fd);
        EXPECT(is_quiet(loop));
        int successor = make_ready(); // the same number
        EXPECT(el_fd_add(loop, successor, EL_READ, EL_EDGE, 100 + i) == 0);
        EXPECT(gives_only(loop, 100 + i, EL_READY_READ));
        EXPECT(el_fd_remove(loop, successor) == 0);
        close(successor);
    }
    el_loop_destroy(loop);
}

CASE(connect_that_fails_later_is_an_error_event_with_its_cause) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    struct sockaddr_in address;
    int listener = make_listener(&address, 1);
    if (listener >= 0) close(listener); // the port is nobody's now
    int fd = listener < 0 ? -1 : start_connecting(&address);
    if (fd < 0) {
        el_loop_destroy(loop);
        SKIP("no connection that fails later");
    }
    EXPECT(el_fd_add(loop, fd, EL_WRITE, EL_EDGE, 1) == 0);
    el_event event;
    EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1 && event.token == 1);
    EXPECT(event.ready & EL_READY_ERROR && event.ready & EL_READY_WRITE);
    EXPECT(pending_error(fd) == ECONNREFUSED);
    EXPECT(el_fd_remove(loop, fd) == 0);
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
    close(fd);
}

CASE(connect_that_succeeds_is_writable_without_an_error) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    struct sockaddr_in address;
    int listener = make_listener(&address, 4);
    if (listener < 0) {
        el_loop_destroy(loop);
        SKIP(no_tcp);
    }
    int fd = start_connecting(&address);
    EXPECT(el_fd_add(loop, fd, EL_READ | EL_WRITE, EL_EDGE, 1) == 0);
    el_event event;
    EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1 && event.ready == EL_READY_WRITE);
    EXPECT(pending_error(fd) == 0);
    el_loop_destroy(loop);
    close(fd);
    close(listener);
}

CASE(accept_without_a_free_number_is_emfile_and_the_connection_stays) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    struct sockaddr_in address;
    int listener = make_listener(&address, 4);
    if (listener < 0) {
        el_loop_destroy(loop);
        SKIP(no_tcp);
    }
    int client = start_connecting(&address);
    EXPECT(el_fd_add(loop, listener, EL_READ, EL_EDGE, 1) == 0);
    el_event event;
    EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1 && event.token == 1);
    EXPECT(is_quiet(loop)); // opens what it needs to look
    struct rlimit old = limit_free_fds(0);
    for (int i = 0; i < 3; i++) EXPECT(el_fd_accept(listener) == -EMFILE);
    EXPECT(poll_loop(loop, &event, 1) == 0); // by edges nothing spins
    restore_limit(old);
    EXPECT(el_fd_modify(loop, listener, EL_READ, EL_EDGE, 2) == 0); // asked again, it is there
    EXPECT(gives_only(loop, 2, EL_READY_READ));
    int server = el_fd_accept(listener);
    EXPECT(server >= 0);
    EXPECT(el_fd_accept(listener) == -EAGAIN);
    el_loop_destroy(loop);
    const int fds[] = {listener, client, server};
    for (int i = 0; i < 3; i++) close(fds[i]);
}

CASE(accept_of_a_peer_that_has_gone_does_not_stop_the_listener) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    struct sockaddr_in address;
    int listener = make_listener(&address, 8);
    if (listener < 0) {
        el_loop_destroy(loop);
        SKIP(no_tcp);
    }
    EXPECT(el_fd_add(loop, listener, EL_READ, EL_LEVEL, 1) == 0);
    el_event event;
    for (int i = 0; i < 3; i++) {
        int client = start_connecting(&address);
        EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1 && event.token == 1);
        struct linger reset = {.l_onoff = 1, .l_linger = 0};
        EXPECT(setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0);
        close(client);
        int server = el_fd_accept(listener);
        EXPECT(server >= 0 || server == -ECONNABORTED);
        if (server < 0) continue;
        EXPECT(el_fd_add(loop, server, EL_READ, EL_EDGE, 2) == 0);
        EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1 && event.token == 2);
        EXPECT(event.ready & EL_READY_HANGUP);
        char byte;
        EXPECT(read(server, &byte, 1) == -1 && errno == ECONNRESET);
        EXPECT(el_fd_remove(loop, server) == 0);
        close(server);
        EXPECT(is_quiet(loop));
    }
    el_loop_destroy(loop);
    close(listener);
}

CASE(datagram_of_length_zero_is_reported_and_drained) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int ends[2];
    EXPECT(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_LEVEL, 1) == 0);
    EXPECT(send(ends[1], "", 0, 0) == 0);
    EXPECT(gives_only(loop, 1, EL_READY_READ));
    char byte;
    EXPECT(recv(ends[0], &byte, 1, 0) == 0); // no end of anything
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
    close_pair(ends);
}

CASE(flooded_datagram_socket_does_not_starve_timers_and_wakes) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int ends[2];
    EXPECT(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_LEVEL, 1) == 0);
    const int capacities[] = {1, 2, MANY};
    for (int c = 0; c < 3; c++) {
        int counts[6] = {0};
        for (int round = 0; round < 30; round++) {
            while (send(ends[1], "x", 1, 0) == 1) { // full, whatever is taken out of it
            }
            el_timer_start(loop, 0, 2);
            el_loop_wake(loop);
            for (int turn = 0; turn < 3; turn++) {
                el_event events[MANY];
                int count = poll_loop(loop, events, capacities[c]);
                EXPECT(count > 0);
                for (int i = 0; i < count; i++) {
                    char byte;
                    counts[events[i].kind]++;
                    if (events[i].kind == EL_EVENT_FD) EXPECT(recv(ends[0], &byte, 1, 0) == 1);
                }
            }
        }
        EXPECT(counts[EL_EVENT_TIMER] >= 20 && counts[EL_EVENT_WAKE] >= 20 && counts[EL_EVENT_FD] >= 20);
        while (el_timer_count(loop) > 0) poll_loop(loop, &(el_event){0}, 1);
    }
    el_loop_destroy(loop);
    close_pair(ends);
}

CASE(twenty_thousand_descriptors_carry_data_at_once) {
    enum { PAIRS = 9900 }; // with both ends nearly as many as many systems allow
    struct rlimit old, raised = {2 * PAIRS + 100, 2 * PAIRS + 100};
    EXPECT(getrlimit(RLIMIT_NOFILE, &old) == 0);
    if (raised.rlim_max < old.rlim_max) raised.rlim_max = old.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &raised) < 0) SKIP("the limit on open files cannot be raised to 20,000");
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int(*pairs)[2] = malloc(PAIRS * sizeof *pairs);
    for (uint64_t i = 0; i < PAIRS; i++) {
        make_pair(pairs[i]);
        EXPECT(el_fd_add(loop, pairs[i][0], EL_READ, EL_EDGE, i) == 0);
        EXPECT(el_fd_add(loop, pairs[i][1], EL_READ, EL_LEVEL, PAIRS + i) == 0);
    }
    EXPECT(is_quiet(loop));
    // A byte goes through every pair, and back.
    for (int i = 0; i < PAIRS; i++) send_byte(pairs[i][1]);
    int there = 0, back = 0;
    static el_event events[1000];
    while (back < PAIRS) {
        int count = poll_loop(loop, events, 1000);
        EXPECT(count > 0);
        for (int i = 0; i < count; i++) {
            uint64_t token = events[i].token;
            bool is_first = token < PAIRS;
            char byte;
            EXPECT(events[i].ready == EL_READY_READ);
            EXPECT(read(pairs[is_first ? token : token - PAIRS][is_first ? 0 : 1], &byte, 1) == 1);
            if (is_first) {
                send_byte(pairs[token][0]);
                there++;
            } else {
                back++;
            }
        }
    }
    EXPECT(there == PAIRS && back == PAIRS);
    EXPECT(is_quiet(loop));
    el_loop_check(loop);
    for (int i = 0; i < PAIRS; i++) {
        EXPECT(el_fd_remove(loop, pairs[i][0]) == 0 && el_fd_remove(loop, pairs[i][1]) == 0);
        close_pair(pairs[i]);
    }
    free(pairs);
    el_loop_destroy(loop);
    restore_limit(old);
}
