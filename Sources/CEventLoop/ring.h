/// A ring of small numbers: each is in it once at most, and they take turns. Knows no file.
#ifndef EL_RING_H
#define EL_RING_H

#include <stddef.h>

#include "CEventLoop.h"
#include "visibility.h"

struct ring_link {
    int next, previous; // ABSENT: this number is not in the ring
};

struct ring {
    struct ring_link *links; // indexed by number; nothing before the first reservation
    int capacity;
    int count;
    int current; // whose turn it is, if there is anybody
};

EL_ROOM void ring_close(struct ring *ring);

/// Makes sure that the number can be inserted at any time. Returns 0, or -ENOMEM.
EL_ROOM int ring_reserve(struct ring *ring, int number);
EL_ROOM bool ring_has(const struct ring *ring, int number);
/// Behind all others; a number that is in the ring keeps its place. It was reserved.
EL_ROOM void ring_insert(struct ring *ring, int number);
/// A number that is not in the ring is allowed.
EL_ROOM void ring_remove(struct ring *ring, int number);
/// Whose turn it is; then it is the next one's. The ring is not empty.
EL_ROOM int ring_take(struct ring *ring);

EL_ROOM void ring_check(const struct ring *ring);

#endif
