/// Which file descriptors are watched, and which of them are ready: the only room that knows epoll.
#ifndef EL_POLLER_H
#define EL_POLLER_H

#include <stddef.h>
#include <sys/epoll.h>

#include "CEventLoop.h"
#include "ring.h"
#include "visibility.h"

/// How many events one system call may bring. The kernel keeps the rest, and turns its ready list
/// so that a descriptor that was left out comes first the next time.
enum { POLLER_BATCH = 512 };

/// What a registration is for: the caller's, or one of the loop's own.
enum poller_owner {
    POLLER_CALLER,
    POLLER_ALARM,
    POLLER_DOORBELL,
    POLLER_SIGNALS,
    POLLER_CHILD,
};

struct registration {
    uint64_t token;
    uint32_t generation; // 0: this fd is not registered
    uint8_t interest;
    uint8_t mode;
    uint8_t owner : 5;
    bool is_watched : 1; // it is in the epoll set
    bool is_spent : 1;   // a one-shot that has fired, and waits for poller_modify
    bool is_file : 1;    // epoll refuses it, because it never blocks: it is always ready
};

struct poller {
    int epoll_fd;
    int outside_fd; // an epoll set around it, for a foreign loop to watch; -1 until somebody asks
    uint32_t last_generation;
    struct registration *registrations; // indexed by fd
    size_t registrations_capacity;
    struct ring files;  // those of the always ready that have something to report
    bool is_files_turn; // of a single place
    bool is_full;       // the batch: more may wait
    bool has_stale;     // the batch: an event of nobody's
    struct epoll_event batch[POLLER_BATCH];
};

/// One ready descriptor, as the poller tells it to the loop.
struct readiness {
    uint64_t token;
    uint32_t ready; // el_ready flags
    enum poller_owner owner;
};

EL_ROOM int poller_open(struct poller *poller);
EL_ROOM void poller_close(struct poller *poller);
/// In a forked child: epoll sets of its own, the one that is shown outside under the same number.
EL_ROOM int poller_fork(struct poller *poller);

/// The descriptor that is readable while an event waits. Its number and its file stay. Or -errno.
EL_ROOM int poller_outside(struct poller *poller);

EL_ROOM int poller_add(struct poller *poller, int fd, el_interest interest, el_mode mode, uint64_t token,
                       enum poller_owner owner);
EL_ROOM int poller_modify(struct poller *poller, int fd, el_interest interest, el_mode mode, uint64_t token);
EL_ROOM int poller_remove(struct poller *poller, int fd, enum poller_owner owner);

/// Whether a poller_wait would end at once, which poller_outside does not show.
EL_ROOM bool poller_is_ready(const struct poller *poller);

/// Waits for at most `limit` descriptors: not at all, or until there is one. Returns how many the
/// kernel reported, or -errno; poller_take then explains them one by one, and poller_finish ends that.
EL_ROOM int poller_wait(struct poller *poller, int limit, bool block);

/// Explains the batch's event number `index`. False: it was stale, nobody's any more.
EL_ROOM bool poller_take(struct poller *poller, int index, struct readiness *out);

/// Ends the batch, and silences stale watches. True: more may wait, and another poller_wait would get
/// past what this one found.
EL_ROOM bool poller_finish(struct poller *poller);

EL_ROOM void poller_check(const struct poller *poller);

#endif
