/// Signals as something to read: which are ours, and what the thread's mask was before.
#ifndef EL_SIGNALS_H
#define EL_SIGNALS_H

#include <signal.h>

#include "CEventLoop.h"
#include "visibility.h"

enum { SIGNALS_END = 65 }; // Linux numbers its signals 1 … 64

struct signals {
    int signal_fd; // -1 until the first signal is added
    sigset_t ours;
    sigset_t blocked_before; // of ours: blocked already when they were added
    uint64_t tokens[SIGNALS_END];
};

EL_ROOM void signals_open(struct signals *signals);
/// Gives all of them up. Afterwards it is as it was opened.
EL_ROOM void signals_close(struct signals *signals);
/// In a forked child: a signalfd of its own, under the same number, which nobody watches yet.
EL_ROOM int signals_fork(struct signals *signals);

/// Blocks the signal and adds it to the signalfd, which is made when there is none.
EL_ROOM int signals_add(struct signals *signals, int number, uint64_t token);
EL_ROOM int signals_remove(struct signals *signals, int number);
/// Takes one signal that has arrived. Returns its number, 0 when there is none, or -errno.
EL_ROOM int signals_take(struct signals *signals, uint64_t *token);

#endif
