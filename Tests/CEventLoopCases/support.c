#define _GNU_SOURCE

#include "support.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static void must(bool held, const char *what) {
    if (held) return;
    perror(what);
    abort();
}

el_loop *make_loop(el_clock clock) {
    el_loop *loop;
    must(el_loop_create(clock, &loop) == 0, "el_loop_create");
    return loop;
}

void make_pair(int ends[2]) {
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
}

void close_pair(const int ends[2]) {
    close(ends[0]);
    close(ends[1]);
}

int make_ready(void) {
    int fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
    must(fd >= 0, "eventfd");
    return fd;
}

void send_byte(int fd) { must(write(fd, "x", 1) == 1, "write"); }

void drain(int fd) {
    char bytes[4096];
    while (read(fd, bytes, sizeof bytes) > 0) {
    }
}

int poll_loop(el_loop *loop, el_event *out, int capacity) { return el_loop_wait(loop, 0, out, capacity); }

bool is_readable(int fd) {
    struct pollfd watch = {.fd = fd, .events = POLLIN};
    int count = poll(&watch, 1, 0);
    must(count >= 0, "poll");
    return count > 0;
}

bool is_quiet(el_loop *loop) {
    el_event event;
    return poll_loop(loop, &event, 1) == 0 && !is_readable(el_loop_fd(loop));
}

el_timer arm_soon(el_loop *loop, uint64_t token) {
    for (;;) {
        el_timer timer = el_timer_start(loop, el_loop_update_now(loop) + MILLISECOND, token);
        int result = el_loop_arm(loop);
        must(result >= 0, "el_loop_arm");
        if (result == 0) return timer;
        el_timer_cancel(loop, timer);
    }
}

bool gives_only(el_loop *loop, uint64_t token, uint32_t ready) {
    el_event events[2];
    int count = poll_loop(loop, events, 2);
    return count == 1 && events[0].kind == EL_EVENT_FD && events[0].token == token &&
           events[0].ready == ready;
}

static bool is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

// Not by opening /proc/self/fd, so that it can be asked when nothing can be opened any more.
int count_open_fds(void) {
    struct rlimit limit;
    must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    int count = 0;
    for (int fd = 0; fd < (int)limit.rlim_cur && fd < 65536; fd++) count += is_open(fd);
    return count;
}

struct rlimit limit_free_fds(int room) {
    struct rlimit old, lowered;
    must(getrlimit(RLIMIT_NOFILE, &old) == 0, "getrlimit");
    int end = 0;
    for (int free_count = 0; free_count < room || is_open(end); end++) free_count += !is_open(end);
    lowered = (struct rlimit){.rlim_cur = (rlim_t)end, .rlim_max = old.rlim_max};
    must(setrlimit(RLIMIT_NOFILE, &lowered) == 0, "setrlimit");
    return old;
}

void restore_limit(struct rlimit limit) { must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit"); }

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

bool stop_memory(struct rlimit *old) {
    must(getrlimit(RLIMIT_AS, old) == 0, "getrlimit");
    if (IS_SANITIZED) return false;
    struct rlimit nothing = {.rlim_cur = 1, .rlim_max = old->rlim_max};
    must(setrlimit(RLIMIT_AS, &nothing) == 0, "setrlimit");
    return true;
}

void restore_memory(struct rlimit old) { must(setrlimit(RLIMIT_AS, &old) == 0, "setrlimit"); }
