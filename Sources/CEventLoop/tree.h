/// Deadlines in order, the earlier started first of equal ones: a radix tree only as deep as it has to be.
#ifndef EL_TREE_H
#define EL_TREE_H

#include "bucket.h"

enum { TREE_DIGIT_BITS = 6, TREE_BUCKETS = 1 << TREE_DIGIT_BITS };

/// Deadlines that agree in all bits above the six from `shift` on, apart by those six.
struct timer_node {
    uint32_t number;           // in the pool of nodes; the pool's while the node is free
    uint32_t digit;            // which of the parent's buckets holds this
    struct timer_node *parent; // NULL: the root bucket holds this
    uint64_t occupied;         // a bit for each bucket that is not empty
    uint64_t prefix;           // one of the deadlines that belong here
    uint32_t shift;
    struct timer_bucket buckets[TREE_BUCKETS];
};

struct tree {
    struct timer_bucket root;
    uint32_t first;             // the earliest slot; POOL_NOTHING: unknown, or none
    uint64_t first_ns;          // its deadline
    struct timer_bucket *front; // while the first is unknown: the list that holds it, if that is known
    uint64_t count;
    struct timer_memory memory;
    struct pool nodes;
};

EL_ROOM void tree_open(struct tree *tree);
EL_ROOM void tree_close(struct tree *tree);

/// Puts a slot behind all of its deadline. False when memory ran out.
EL_ROOM bool tree_insert(struct tree *tree, uint32_t slot, uint64_t deadline_ns);
EL_ROOM void tree_remove(struct tree *tree, uint32_t slot);
/// The slot that is first in order, POOL_NOTHING when there is none. Its deadline is then in `first_ns`.
EL_ROOM uint32_t tree_first(struct tree *tree);

EL_ROOM void tree_check(const struct tree *tree);

#endif
