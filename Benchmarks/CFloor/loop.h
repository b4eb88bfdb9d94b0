/// The least that is still a whole event loop: descriptors, deadlines, a run queue, an inbox.
#ifndef FLOOR_LOOP_H
#define FLOOR_LOOP_H

#include "heap.h"
#include "inbox.h"
#include "ring.h"

#include <stdbool.h>

/// Embedded in whatever owns the descriptor; `run` is told the epoll events.
struct watch {
    void (*run)(struct watch *watch, uint32_t events);
};

struct loop {
    struct heap timers;
    struct ring ready;
    struct inbox inbox;
    int epoll_fd;
    int timer_fd;
    uint64_t armed_ns; // when the timerfd will ring; UINT64_MAX: never
    bool is_stopped;
    struct watch timer_watch;
    struct watch inbox_watch;
};

int loop_open(struct loop *loop);
void loop_close(struct loop *loop);

/// Reports readable and closed, each only when it begins (edge-triggered). Closing the descriptor ends it.
int loop_watch(struct loop *loop, int fd, struct watch *watch);

/// Runs until a callback stops it.
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

#endif
