#define _GNU_SOURCE

#include "loop.h"

#include "CFloor.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { EVENTS_PER_WAIT = 256 };

// The edge-triggered timerfd needs no read: setting it anew clears it.
static void timer_rang(struct watch *watch, uint32_t events) {
    (void)events;
    struct loop *loop = (struct loop *)((char *)watch - offsetof(struct loop, timer_watch));
    loop->armed_ns = UINT64_MAX;
}

static void inbox_rang(struct watch *watch, uint32_t events) {
    (void)events;
    struct loop *loop = (struct loop *)((char *)watch - offsetof(struct loop, inbox_watch));
    inbox_run(&loop->inbox);
}

int loop_open(struct loop *loop) {
    *loop = (struct loop){.armed_ns = UINT64_MAX, .epoll_fd = -1, .timer_fd = -1, .inbox.event_fd = -1};
    loop->timer_watch.run = timer_rang;
    loop->inbox_watch.run = inbox_rang;
    heap_open(&loop->timers);
    ring_open(&loop->ready);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0) return -errno;
    loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (loop->timer_fd < 0) return -errno;
    int result = inbox_open(&loop->inbox);
    if (result == 0) result = loop_watch(loop, loop->timer_fd, &loop->timer_watch);
    if (result == 0) result = loop_watch(loop, loop->inbox.event_fd, &loop->inbox_watch);
    return result;
}

void loop_close(struct loop *loop) {
    close(loop->epoll_fd);
    close(loop->timer_fd);
    inbox_close(&loop->inbox);
    ring_close(&loop->ready);
    heap_close(&loop->timers);
}

int loop_watch(struct loop *loop, int fd, struct watch *watch) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = watch};
    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

// One system call, and only when the earliest deadline has moved.
static void arm(struct loop *loop) {
    uint64_t deadline_ns = heap_first_ns(&loop->timers);
    if (deadline_ns == loop->armed_ns || deadline_ns == UINT64_MAX) return;
    struct itimerspec alarm = {
        .it_value.tv_sec = (time_t)(deadline_ns / 1000000000),
        .it_value.tv_nsec = (long)(deadline_ns % 1000000000),
    };
    timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &alarm, NULL);
    loop->armed_ns = deadline_ns;
}

static void wait_for_events(struct loop *loop) {
    bool may_block = loop->ready.count == 0;
    if (may_block) arm(loop);
    struct epoll_event events[EVENTS_PER_WAIT];
    int count = epoll_wait(loop->epoll_fd, events, EVENTS_PER_WAIT, may_block ? -1 : 0);
    for (int index = 0; index < count; index++) {
        struct watch *watch = events[index].data.ptr;
        watch->run(watch, events[index].events);
    }
}

static void run_due_timers(struct loop *loop) {
    if (loop->timers.count == 0) return;
    uint64_t now_ns = floor_now_ns();
    while (heap_first_ns(&loop->timers) <= now_ns) callback_run(heap_pop(&loop->timers));
}

// What the ready callbacks add waits for the next turn, so that descriptors and timers get theirs.
static void run_ready(struct loop *loop) {
    for (uint32_t count = loop->ready.count; count > 0; count--) callback_run(ring_pop(&loop->ready));
}

void loop_run(struct loop *loop) {
    while (!loop->is_stopped) {
        wait_for_events(loop);
        run_due_timers(loop);
        run_ready(loop);
    }
}

void loop_stop(struct loop *loop) { loop->is_stopped = true; }
