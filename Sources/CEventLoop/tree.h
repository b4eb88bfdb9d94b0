/// Numbers in the order of (deadline, arrival): a radix tree that is only as deep as it has to be.
#ifndef EL_TREE_H
#define EL_TREE_H

#include "pool.h"

enum { TREE_DIGIT_BITS = 6, TREE_BUCKETS = 1 << TREE_DIGIT_BITS, TREE_SLOT_PAGE_BITS = 8 };

/// A member of the tree: half a cache line.
struct tree_slot {
    uint32_t next, previous; // in its bucket
    uint64_t deadline_ns;
    uint64_t token;
    uint32_t generation; // 0: free
    uint32_t bucket;     // its node's number and its digit, or all ones: the root
};

enum tree_kind {
    TREE_EMPTY,
    TREE_EQUAL, // a list of one deadline
    TREE_MIXED, // a list of several deadlines, perhaps
    TREE_NODE,
};

/// A list of slots in the order of their arrival or, when that became too long, a node.
struct tree_bucket {
    union {
        struct {
            uint32_t first, last;
        };
        struct tree_node *node;
    };
    uint32_t count; // of the list
    uint32_t kind;
};

/// Deadlines that agree in all bits above `shift` + 6, apart by the six bits from `shift` on.
struct tree_node {
    uint32_t number;   // in the pool of nodes; the pool's while the node is free
    uint32_t digit;    // which of the parent's buckets this is
    uint64_t occupied; // a bit for each bucket that is not empty
    uint64_t prefix;   // a deadline that belongs here
    uint32_t shift;
    struct tree_node *parent; // NULL: the root
    struct tree_bucket buckets[TREE_BUCKETS];
};

struct tree {
    struct tree_bucket root;
    uint32_t first;            // the earliest slot; POOL_NOTHING: unknown, or none
    struct tree_bucket *front; // while the first is unknown: the list that it is in, or NULL
    uint64_t first_ns;         // the deadline of `first`
    uint64_t count;
    struct pool slots, nodes;
};

EL_ROOM void tree_open(struct tree *tree);
EL_ROOM void tree_close(struct tree *tree);

/// Puts a slot, whose deadline is set, behind all of that deadline. False when memory ran out.
EL_ROOM bool tree_insert(struct tree *tree, uint32_t slot, struct tree_slot *named);
EL_ROOM void tree_remove(struct tree *tree, uint32_t slot, const struct tree_slot *named);
/// The slot that is first in order, POOL_NOTHING when there is none. Its deadline is then in `first_ns`.
EL_ROOM uint32_t tree_first(struct tree *tree);

// Slots are taken before they are inserted, and given back after they were removed.
static inline struct tree_slot *tree_slot(const struct tree *tree, uint32_t slot) {
    return pool_at(&tree->slots, slot, sizeof(struct tree_slot), TREE_SLOT_PAGE_BITS);
}

static inline uint32_t tree_take_slot(struct tree *tree) {
    return pool_take(&tree->slots, sizeof(struct tree_slot), TREE_SLOT_PAGE_BITS);
}

static inline void tree_give_back_slot(struct tree *tree, uint32_t slot, struct tree_slot *named) {
    named->generation = 0;
    pool_give_back(&tree->slots, slot, sizeof(struct tree_slot), TREE_SLOT_PAGE_BITS);
}

EL_ROOM void tree_check(const struct tree *tree);

#endif
