/// The doorbell: the one thing about a loop that other threads may touch.
#ifndef EL_WAKE_H
#define EL_WAKE_H

#include "CEventLoop.h"
#include "visibility.h"

struct wake {
    int event_fd;
    uint32_t is_ringing; // atomic: a wake is under way, another would tell nothing new
};

EL_ROOM int wake_open(struct wake *wake);
EL_ROOM void wake_close(struct wake *wake);
/// In a forked child: an eventfd of its own, under the same number, which nobody watches yet. A wake that
/// was under way is under way in both processes.
EL_ROOM int wake_fork(struct wake *wake);
/// From any thread or signal handler.
EL_ROOM int wake_ring(struct wake *wake);
/// On the loop's thread, before it looks at what the ringers left for it.
EL_ROOM void wake_clear(struct wake *wake);

#endif
