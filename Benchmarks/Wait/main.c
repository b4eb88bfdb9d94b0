// What one wait costs with 1, 64 or 1,024 ready descriptors: ours, libuv's, and epoll_wait alone.
//
//     ./wait                     a table: nanoseconds for each event, medians of alternating runs
//     ./wait STORE READY WAITS   one run, for a profiler; STORE is epoll, ours or libuv
#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "CEventLoop.h"
#ifdef HAS_UV
#include <uv.h>
#endif

enum { MOST_READY = 1024, RUNS = 9 };

static uint64_t seen; // so that no event goes unlooked at

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/// Each stays readable, for nobody reads it.
static void open_ready(int *fds, int count) {
    for (int i = 0; i < count; i++) {
        fds[i] = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
        if (fds[i] < 0) fail("eventfd");
    }
}

static uint64_t run_epoll(const int *fds, int ready, int waits) {
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < ready; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)i};
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fds[i], &event) < 0) fail("epoll_ctl");
    }
    struct epoll_event events[MOST_READY];
    uint64_t begin = now_ns();
    for (int i = 0; i < waits; i++) {
        int count = epoll_wait(epoll_fd, events, MOST_READY, 0);
        for (int k = 0; k < count; k++) seen += events[k].data.u64;
    }
    uint64_t elapsed = now_ns() - begin;
    close(epoll_fd);
    return elapsed;
}

static uint64_t run_ours(const int *fds, int ready, int waits) {
    el_loop *loop;
    if (el_loop_create(EL_CLOCK_MONOTONIC, &loop) < 0) fail("el_loop_create");
    for (int i = 0; i < ready; i++) {
        if (el_fd_add(loop, fds[i], EL_READ, EL_LEVEL, (uint64_t)i) < 0) fail("el_fd_add");
    }
    el_event events[MOST_READY];
    uint64_t begin = now_ns();
    for (int i = 0; i < waits; i++) {
        // One call brings at most 512; the rest has its turn in the next.
        for (int left = ready; left > 0;) {
            int count = el_loop_wait(loop, 0, events, left);
            for (int k = 0; k < count; k++) seen += events[k].token;
            left -= count;
        }
    }
    uint64_t elapsed = now_ns() - begin;
    el_loop_destroy(loop);
    return elapsed;
}

#ifdef HAS_UV
static void heard(uv_poll_t *handle, int status, int events) {
    (void)status, (void)events;
    seen += (uint64_t)(uintptr_t)handle->data;
}

static uint64_t run_uv(const int *fds, int ready, int waits) {
    static uv_poll_t handles[MOST_READY];
    uv_loop_t loop;
    uv_loop_init(&loop);
    for (int i = 0; i < ready; i++) {
        uv_poll_init(&loop, &handles[i], fds[i]);
        handles[i].data = (void *)(uintptr_t)i;
        uv_poll_start(&handles[i], UV_READABLE, heard);
    }
    uint64_t begin = now_ns();
    for (int i = 0; i < waits; i++) uv_run(&loop, UV_RUN_NOWAIT);
    uint64_t elapsed = now_ns() - begin;
    for (int i = 0; i < ready; i++) uv_close((uv_handle_t *)&handles[i], NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return elapsed;
}
#endif

static const struct {
    const char *name;
    uint64_t (*run)(const int *fds, int ready, int waits);
} stores[] = {
    {"epoll", run_epoll},
    {"ours", run_ours},
#ifdef HAS_UV
    {"libuv", run_uv},
#endif
};
enum { STORES = sizeof stores / sizeof *stores };

static int by_value(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void print_row(const int *fds, int ready) {
    int waits = 2000000 / (ready + 10);
    double ns[STORES][RUNS];
    for (int run = 0; run < RUNS; run++) {
        for (int i = 0; i < STORES; i++) {
            ns[i][run] = (double)stores[i].run(fds, ready, waits) / waits / ready;
        }
    }
    printf("%5d", ready);
    for (int i = 0; i < STORES; i++) {
        qsort(ns[i], RUNS, sizeof **ns, by_value);
        printf("  %8.1f [%.1f – %.1f]", ns[i][RUNS / 2], ns[i][0], ns[i][RUNS - 1]);
    }
    printf("\n");
}

int main(int argc, char **argv) {
    int fds[MOST_READY];
    struct rlimit limit = {4096, 4096};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    open_ready(fds, MOST_READY);
    if (argc == 4) {
        for (int i = 0; i < STORES; i++) {
            int ready = atoi(argv[2]);
            if (strcmp(argv[1], stores[i].name) != 0 || ready < 1 || ready > MOST_READY) continue;
            stores[i].run(fds, ready, atoi(argv[3]));
            return 0;
        }
        fprintf(stderr, "usage: wait [epoll|ours|libuv READY WAITS]\n");
        return 64;
    }
    printf("nanoseconds for each event: median [least – most] of %d alternating runs\nready", RUNS);
    for (int i = 0; i < STORES; i++) printf("  %s", stores[i].name);
    printf("\n");
    print_row(fds, 1);
    print_row(fds, 64);
    print_row(fds, 1024);
    return seen == 0;
}
