#include "tree.h"

#include <string.h>

#include "invariant.h"

// How a hierarchical timer wheel would look if it did not turn. A wheel's slots lie at distances from the
// present: they have to be emptied into finer ones as time passes, and a coarse one has no order before. Here
// a node's buckets lie at fixed digits of the deadline itself. Nothing moves because time passes,
// so the tree needs no clock; a bucket becomes a node of finer buckets
//
//   - when it holds more than MANY: so that no step takes long, however many timers there are;
//   - when it holds more than FEW and somebody asks for its first: so that this is found exactly.
//
// A timer moves down at most once for each digit; in practice once, or never, since those that start
// later find the nodes in place. A list keeps the order of arrival, and so does handing it down:
// equal deadlines need no number to tell which was first.
//
// Nodes skip the digits in which all of theirs agree, so the depth is the number of real decisions: two or
// three for a million timers in a minute.

enum { FEW = 8, MANY = 512, NODE_PAGE_BITS = 3 };
static const uint32_t ROOT = UINT32_MAX; // the root bucket's number; others' are node and digit
static const uint32_t NODE_LIMIT = UINT32_MAX >> TREE_DIGIT_BITS;

void tree_open(struct tree *tree) {
    *tree = (struct tree){.first = POOL_NOTHING};
    bucket_open(&tree->memory);
    pool_open(&tree->nodes, sizeof(struct timer_node), NODE_PAGE_BITS);
}

void tree_close(struct tree *tree) {
    bucket_close(&tree->memory);
    pool_close(&tree->nodes);
}

// MARK: - Nodes

static struct timer_node *node_at(const struct tree *tree, uint32_t number) {
    return pool_at(&tree->nodes, number, sizeof(struct timer_node), NODE_PAGE_BITS);
}

static uint32_t digit_of(const struct timer_node *node, uint64_t deadline_ns) {
    return (uint32_t)(deadline_ns >> node->shift) & (TREE_BUCKETS - 1);
}

static bool belongs(const struct timer_node *node, uint64_t deadline_ns) {
    return (deadline_ns ^ node->prefix) >> node->shift >> TREE_DIGIT_BITS == 0;
}

static uint32_t highest_bit(uint64_t bits) { return 63 - (uint32_t)__builtin_clzll(bits); }

static uint32_t number_of(const struct timer_node *node, uint32_t digit) {
    return node == NULL ? ROOT : node->number << TREE_DIGIT_BITS | digit;
}

/// The node that holds a bucket; NULL: it is the root.
static struct timer_node *holder_of(const struct tree *tree, uint32_t bucket) {
    return bucket == ROOT ? NULL : node_at(tree, bucket >> TREE_DIGIT_BITS);
}

static void give_back_node(struct tree *tree, struct timer_node *node) {
    pool_give_back(&tree->nodes, node->number, sizeof *node, NODE_PAGE_BITS);
}

static struct timer_node *take_node(struct tree *tree) {
    uint32_t number = pool_take(&tree->nodes, sizeof(struct timer_node), NODE_PAGE_BITS);
    if (number == POOL_NOTHING) return NULL;
    struct timer_node *node = node_at(tree, number);
    node->number = number;
    if (number < NODE_LIMIT) return node;
    give_back_node(tree, node);
    return NULL;
}

/// Makes an empty node stand in a bucket of `parent`.
static void plant(struct timer_bucket *bucket, struct timer_node *parent, struct timer_node *node,
                  uint64_t prefix, uint32_t shift) {
    node->digit = parent == NULL ? 0 : digit_of(parent, prefix);
    node->parent = parent;
    node->occupied = 0;
    node->prefix = prefix;
    node->shift = shift;
    memset(node->buckets, 0, sizeof node->buckets);
    *bucket = (struct timer_bucket){.node = node, .kind = BUCKET_NODE};
}

/// Puts a node between a bucket and the node in it, to which a new deadline does not belong.
static struct timer_node *fork(struct tree *tree, struct timer_bucket *bucket, uint64_t deadline_ns) {
    struct timer_node *below = bucket->node, *node = take_node(tree);
    if (node == NULL) return NULL;
    uint32_t top_bit = highest_bit(deadline_ns ^ below->prefix);
    uint32_t shift =
        below->shift + TREE_DIGIT_BITS; // this one's digit ends where that one's begins, or above
    if (top_bit > shift + TREE_DIGIT_BITS - 1) shift = top_bit - (TREE_DIGIT_BITS - 1);
    plant(bucket, below->parent, node, below->prefix, shift);
    below->digit = digit_of(node, below->prefix);
    below->parent = node;
    node->buckets[below->digit] = (struct timer_bucket){.node = below, .kind = BUCKET_NODE};
    node->occupied = 1ull << below->digit;
    return node;
}

static bool append_in(struct tree *tree, struct timer_node *node, uint32_t slot, uint64_t deadline_ns) {
    uint32_t digit = digit_of(node, deadline_ns), number = number_of(node, digit);
    if (!bucket_append(&tree->memory, &node->buckets[digit], number, slot, deadline_ns)) return false;
    node->occupied |= 1ull << digit;
    return true;
}

/// Hands a list down to a new node. False when there is no memory for it, and the list stays as it was.
static bool split(struct tree *tree, struct timer_bucket *bucket, struct timer_node *parent) {
    uint64_t prefix, difference = bucket_difference(&tree->memory, bucket, &prefix);
    if (difference == 0) { // those that differed are gone
        bucket->kind = BUCKET_EQUAL;
        return true;
    }
    if (!bucket_reserve(&tree->memory, bucket->count < TREE_BUCKETS ? bucket->count : TREE_BUCKETS))
        return false;
    struct timer_node *node = take_node(tree);
    if (node != NULL) {
        uint32_t top_bit = highest_bit(difference), number = bucket->first;
        plant(bucket, parent, node, prefix, top_bit < TREE_DIGIT_BITS ? 0 : top_bit - (TREE_DIGIT_BITS - 1));
        while (number != POOL_NOTHING) {
            // Each chunk is free for use before its entries move, so what was set aside suffices.
            struct timer_chunk chunk;
            number = bucket_consume(&tree->memory, number, &chunk);
            for (uint32_t live = chunk.live; live != 0; live &= live - 1) {
                uint32_t index = (uint32_t)__builtin_ctz(live);
                append_in(tree, node, chunk.slots[index], chunk.deadlines_ns[index]);
            }
        }
    }
    bucket_release(&tree->memory);
    return node != NULL;
}

/// A bucket has become empty, and with it perhaps its node, and so on up.
static void prune(struct tree *tree, struct timer_node *node, uint32_t digit) {
    while (node != NULL) {
        node->occupied &= ~(1ull << digit);
        if (node->occupied != 0) return;
        struct timer_node *parent = node->parent;
        digit = node->digit;
        (parent == NULL ? &tree->root : &parent->buckets[digit])->kind = BUCKET_EMPTY;
        give_back_node(tree, node);
        node = parent;
    }
}

// MARK: - The tree

bool tree_insert(struct tree *tree, uint32_t slot, uint64_t deadline_ns) {
    struct timer_node *node = NULL;
    struct timer_bucket *bucket = &tree->root;
    while (bucket->kind == BUCKET_NODE) {
        node = bucket->node;
        if (!belongs(node, deadline_ns)) {
            node = fork(tree, bucket, deadline_ns);
            if (node == NULL) return false;
        }
        bucket = &node->buckets[digit_of(node, deadline_ns)];
    }
    bool is_in = node == NULL ? bucket_append(&tree->memory, bucket, ROOT, slot, deadline_ns)
                              : append_in(tree, node, slot, deadline_ns);
    if (!is_in) return false;
    if (tree->count++ == 0 || (tree->first != POOL_NOTHING && deadline_ns < tree->first_ns)) {
        tree->first = slot;
        tree->first_ns = deadline_ns;
    } else if (tree->first == POOL_NOTHING) {
        tree->front = NULL;
    }
    // Without memory for a node the list grows longer: slower, and still right.
    if (bucket->count > MANY && bucket->kind == BUCKET_MIXED) split(tree, bucket, node);
    return true;
}

void tree_remove(struct tree *tree, uint32_t slot) {
    uint32_t place = slot_at(&tree->memory, slot)->place;
    uint32_t number = chunk_at(&tree->memory, place >> CHUNK_BITS)->bucket, digit = number % TREE_BUCKETS;
    struct timer_node *node = holder_of(tree, number);
    struct timer_bucket *bucket = node == NULL ? &tree->root : &node->buckets[digit];
    bucket_remove(&tree->memory, bucket, place);
    tree->count--;
    if (tree->first == slot) {
        tree->first = POOL_NOTHING;
        tree->front = bucket;
    }
    if (bucket->kind == BUCKET_EMPTY) {
        tree->front = NULL;
        prune(tree, node, digit);
    }
}

uint32_t tree_first(struct tree *tree) {
    if (tree->first != POOL_NOTHING || tree->count == 0) return tree->first;
    struct timer_bucket *bucket = &tree->root;
    struct timer_node *parent = NULL;
    if (tree->front != NULL) {
        bucket = tree->front;
        parent = holder_of(tree, chunk_at(&tree->memory, bucket->first)->bucket);
    }
    for (;;) {
        if (bucket->kind == BUCKET_NODE) {
            parent = bucket->node;
            bucket = &parent->buckets[__builtin_ctzll(parent->occupied)];
        } else if (bucket->kind == BUCKET_EQUAL || bucket->count <= FEW || !split(tree, bucket, parent)) {
            break;
        }
    }
    tree->first = bucket_first(&tree->memory, bucket, &tree->first_ns);
    return tree->first;
}

// MARK: - Invariants

struct census {
    uint64_t slots, chunks, nodes;
};

static void check_bucket(const struct tree *tree, const struct timer_bucket *bucket,
                         const struct timer_node *holder, uint32_t digit, struct census *census);

static void check_node(const struct tree *tree, const struct timer_node *node, struct census *census) {
    census->nodes++;
    must_hold(node->occupied != 0, "a node is not empty");
    must_hold(node_at(tree, node->number) == node, "a node knows its number");
    for (uint32_t digit = 0; digit < TREE_BUCKETS; digit++) {
        bool is_empty = node->buckets[digit].kind == BUCKET_EMPTY;
        must_hold((node->occupied >> digit & 1) == !is_empty, "a node knows which buckets are empty");
        check_bucket(tree, &node->buckets[digit], node, digit, census);
    }
}

static bool leads_to(const struct timer_node *node, uint32_t digit, uint64_t deadline_ns) {
    return node == NULL || (belongs(node, deadline_ns) && digit_of(node, deadline_ns) == digit);
}

static void check_bucket(const struct tree *tree, const struct timer_bucket *bucket,
                         const struct timer_node *holder, uint32_t digit, struct census *census) {
    if (bucket->kind == BUCKET_EMPTY) return;
    if (bucket->kind == BUCKET_NODE) {
        must_hold(bucket->node->parent == holder, "a node knows its parent");
        must_hold(leads_to(holder, digit, bucket->node->prefix), "a node stands where its deadlines lead to");
        must_hold(holder == NULL || (bucket->node->digit == digit && bucket->node->shift < holder->shift),
                  "a node is finer than the one above");
        check_node(tree, bucket->node, census);
        return;
    }
    census->slots += bucket->count;
    census->chunks += bucket_check(&tree->memory, bucket, number_of(holder, digit));
    uint64_t one_ns, difference = bucket_difference(&tree->memory, bucket, &one_ns);
    must_hold(leads_to(holder, digit, one_ns) && leads_to(holder, digit, one_ns ^ difference),
              "a deadline stands where it leads to");
}

void tree_check(const struct tree *tree) {
    struct census census = {0, 0, 0};
    check_bucket(tree, &tree->root, NULL, 0, &census);
    must_hold(census.slots == tree->count, "the tree knows how many it holds");
    must_hold(census.slots == pool_live_count(&tree->memory.slots), "each live slot stands in the tree");
    must_hold(census.chunks == pool_live_count(&tree->memory.chunks), "each live chunk stands in the tree");
    must_hold(census.nodes == pool_live_count(&tree->nodes), "each live node stands in the tree");
    must_hold(tree->memory.spare == POOL_NOTHING, "nothing stays set aside");
    pool_check(&tree->memory.slots);
    pool_check(&tree->memory.chunks);
    pool_check(&tree->nodes);
    if (tree->count == 0) return;
    // What is noted, against the way that needs no note: down the leftmost buckets.
    const struct timer_bucket *bucket = &tree->root;
    while (bucket->kind == BUCKET_NODE) {
        bucket = &bucket->node->buckets[__builtin_ctzll(bucket->node->occupied)];
    }
    uint64_t first_ns;
    uint32_t first = bucket_first(&tree->memory, bucket, &first_ns);
    if (tree->first == POOL_NOTHING) {
        must_hold(tree->front == NULL || tree->front == bucket, "the front is where the first is");
    } else {
        must_hold(tree->first == first && tree->first_ns == first_ns, "the first is the first");
    }
}
