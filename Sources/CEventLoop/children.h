/// Processes that somebody waits for, each held by a pidfd, so that no other process can be taken for one.
#ifndef EL_CHILDREN_H
#define EL_CHILDREN_H

#include "CEventLoop.h"
#include "visibility.h"

struct child {
    uint64_t token;
    int pidfd;
    uint32_t generation; // 0: free
    uint32_t next_free;
};

struct children {
    struct child *table;
    uint32_t used, capacity;
    uint32_t free_count, first_free;
    uint32_t last_generation;
};

/// Closes the pidfds; the children go on.
EL_ROOM void children_close(struct children *children);

/// Opens a pidfd, which children_descriptor then tells, and gives the watch a name.
EL_ROOM int children_add(struct children *children, int pid, uint64_t token, el_child *out);
/// The pidfd that is readable when this one has ended; or -ENOENT.
EL_ROOM int children_descriptor(const struct children *children, el_child child);
/// Closes the pidfd. Returns 0, or -ENOENT.
EL_ROOM int children_remove(struct children *children, el_child child);
EL_ROOM int children_signal(const struct children *children, el_child child, int signal);

/// Takes the status of one that has ended. False: it has not, or not for us yet. After true it is to be
/// removed.
EL_ROOM bool children_reap(const struct children *children, el_child child, uint64_t *token,
                           uint32_t *status);

EL_ROOM void children_check(const struct children *children);

#endif
