/// Callbacks from other threads: a lock-free stack, taken whole, with an eventfd as the doorbell.
#ifndef FLOOR_INBOX_H
#define FLOOR_INBOX_H

#include "callback.h"

#include <stdatomic.h>

/// The poster's memory, until its callback runs.
struct post {
    struct post *next;
    struct callback callback;
};

struct inbox {
    _Atomic(struct post *) newest;
    int event_fd;
};

int inbox_open(struct inbox *inbox);
void inbox_close(struct inbox *inbox);
/// From any thread.
void inbox_post(struct inbox *inbox, struct post *post);
/// On the loop's thread, when the eventfd is readable; runs the posts in the order in which they came.
void inbox_run(struct inbox *inbox);

#endif
