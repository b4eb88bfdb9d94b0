#include "tree.h"

#include <string.h>

#include "invariant.h"

// A hierarchical timer wheel that does not turn. A wheel's slots lie at distances from the present: they have
// to be emptied into finer ones as time passes, and a coarse one has no order before that. Here a node's
// buckets lie at fixed digits of the deadline itself. Nothing moves because time passes, so the tree needs no
// clock. A bucket becomes a node of finer buckets
//
//   - when it holds more than MANY: so that no step takes long, however many timers there are;
//   - when it holds more than FEW and somebody asks for its first: so that this is found exactly.
//
// A timer moves down once for each digit at most. In practice that is once or, since those that start later
// find the nodes in place, never. A list keeps the order of arrival, and so does handing it down: equal
// deadlines need no number to tell which came first.
//
// Nodes skip the digits in which all of theirs agree, so the depth is the number of real decisions: two or
// three for a million timers in a minute.

// Kept apart, so that what runs each time is short.
#define RARE __attribute__((noinline))

enum { FEW = 8, MANY = 512, NODE_PAGE_BITS = 3 };
static const uint32_t TREE_ROOT = UINT32_MAX;
static const uint32_t NODE_LIMIT = UINT32_MAX >> TREE_DIGIT_BITS;

void tree_open(struct tree *tree) {
    *tree = (struct tree){.first = POOL_NOTHING};
    pool_open(&tree->slots, sizeof(struct tree_slot), TREE_SLOT_PAGE_BITS);
    pool_open(&tree->nodes, sizeof(struct tree_node), NODE_PAGE_BITS);
}

void tree_close(struct tree *tree) {
    pool_close(&tree->slots);
    pool_close(&tree->nodes);
}

// MARK: - Nodes

static struct tree_node *node_at(const struct tree *tree, uint32_t number) {
    return pool_at(&tree->nodes, number, sizeof(struct tree_node), NODE_PAGE_BITS);
}

static void give_back_node(struct tree *tree, struct tree_node *node) {
    pool_give_back(&tree->nodes, node->number, sizeof *node, NODE_PAGE_BITS);
}

/// The node in whose list a slot stands; NULL: the root.
static struct tree_node *node_of(const struct tree *tree, const struct tree_slot *named) {
    return named->bucket == TREE_ROOT ? NULL : node_at(tree, named->bucket >> TREE_DIGIT_BITS);
}

static uint32_t digit_of(const struct tree_node *node, uint64_t deadline_ns) {
    return (uint32_t)(deadline_ns >> node->shift) & (TREE_BUCKETS - 1);
}

static bool belongs(const struct tree_node *node, uint64_t deadline_ns) {
    return (deadline_ns ^ node->prefix) >> node->shift >> TREE_DIGIT_BITS == 0;
}

static uint32_t highest_bit(uint64_t bits) { return 63 - (uint32_t)__builtin_clzll(bits); }

static struct tree_node *take_node(struct tree *tree) {
    uint32_t number = pool_take(&tree->nodes, sizeof(struct tree_node), NODE_PAGE_BITS);
    if (number == POOL_NOTHING) return NULL;
    struct tree_node *node = node_at(tree, number);
    node->number = number;
    if (number < NODE_LIMIT) return node;
    give_back_node(tree, node);
    return NULL;
}

/// Makes `node` what stands in a bucket of `parent`.
static void plant(struct tree_bucket *bucket, struct tree_node *parent, struct tree_node *node,
                  uint64_t prefix, uint32_t shift) {
    node->digit = parent == NULL ? 0 : digit_of(parent, prefix);
    node->occupied = 0;
    node->prefix = prefix;
    node->shift = shift;
    node->parent = parent;
    memset(node->buckets, 0, sizeof node->buckets);
    bucket->node = node;
    bucket->count = 0;
    bucket->kind = TREE_NODE;
}

/// Puts a node between a bucket and the node in it, to which a new deadline does not belong.
RARE static struct tree_node *plant_between(struct tree *tree, struct tree_bucket *bucket,
                                            uint64_t deadline_ns) {
    struct tree_node *below = bucket->node, *node = take_node(tree);
    if (node == NULL) return NULL;
    uint32_t top_bit = highest_bit(deadline_ns ^ below->prefix);
    uint32_t shift = below->shift + TREE_DIGIT_BITS; // this one's digit is above that one's
    if (top_bit > shift + TREE_DIGIT_BITS - 1) shift = top_bit - (TREE_DIGIT_BITS - 1);
    plant(bucket, below->parent, node, below->prefix, shift);
    below->digit = digit_of(node, below->prefix);
    below->parent = node;
    node->buckets[below->digit] = (struct tree_bucket){.node = below, .kind = TREE_NODE};
    node->occupied = 1ull << below->digit;
    return node;
}

// MARK: - Lists

/// Puts a slot at the end of the list in a bucket; `node` is NULL for the root.
static inline void append(struct tree *tree, struct tree_bucket *bucket, struct tree_node *node,
                          uint32_t slot, struct tree_slot *named) {
    named->next = POOL_NOTHING;
    named->bucket = TREE_ROOT;
    if (node != NULL) {
        uint32_t digit = (uint32_t)(bucket - node->buckets);
        named->bucket = node->number << TREE_DIGIT_BITS | digit;
        if (bucket->kind == TREE_EMPTY) node->occupied |= 1ull << digit;
    }
    if (bucket->kind == TREE_EMPTY) {
        named->previous = POOL_NOTHING;
        *bucket = (struct tree_bucket){.first = slot, .last = slot, .count = 1, .kind = TREE_EQUAL};
        return;
    }
    struct tree_slot *last = tree_slot(tree, bucket->last);
    if (bucket->kind == TREE_EQUAL && last->deadline_ns != named->deadline_ns) bucket->kind = TREE_MIXED;
    last->next = slot;
    named->previous = bucket->last;
    bucket->last = slot;
    bucket->count++;
}

/// The bits in which a list's deadlines differ. What this costs are the misses of the cache, each behind the
/// one before; from both ends at once, two are under way.
static uint64_t difference_in(const struct tree *tree, const struct tree_bucket *bucket) {
    const struct tree_slot *forward = tree_slot(tree, bucket->first);
    const struct tree_slot *backward = tree_slot(tree, bucket->last);
    uint64_t one_ns = forward->deadline_ns, difference = backward->deadline_ns ^ one_ns;
    for (uint32_t steps = (bucket->count - 1) / 2; steps > 0; steps--) {
        forward = tree_slot(tree, forward->next);
        backward = tree_slot(tree, backward->previous);
        difference |= (forward->deadline_ns ^ one_ns) | (backward->deadline_ns ^ one_ns);
    }
    return difference;
}

/// Hands a list down to a new node. False when there is no memory for it, and the list stays as it was.
RARE static bool split(struct tree *tree, struct tree_bucket *bucket, struct tree_node *parent) {
    uint64_t difference = difference_in(tree, bucket);
    if (difference == 0) { // those that differed are gone
        bucket->kind = TREE_EQUAL;
        return true;
    }
    struct tree_node *node = take_node(tree);
    if (node == NULL) return false;
    uint32_t top_bit = highest_bit(difference), slot = bucket->first;
    plant(bucket, parent, node, tree_slot(tree, slot)->deadline_ns,
          top_bit < TREE_DIGIT_BITS ? 0 : top_bit - (TREE_DIGIT_BITS - 1));
    while (slot != POOL_NOTHING) {
        struct tree_slot *named = tree_slot(tree, slot);
        uint32_t next = named->next;
        append(tree, &node->buckets[digit_of(node, named->deadline_ns)], node, slot, named);
        slot = next;
    }
    return true;
}

/// A bucket has become empty, and with it perhaps its node, and so on up.
RARE static void prune(struct tree *tree, struct tree_node *node, uint32_t digit) {
    while (node != NULL) {
        node->occupied &= ~(1ull << digit);
        if (node->occupied != 0) return;
        struct tree_node *parent = node->parent;
        digit = node->digit;
        (parent == NULL ? &tree->root : &parent->buckets[digit])->kind = TREE_EMPTY;
        give_back_node(tree, node);
        node = parent;
    }
}

// MARK: - The tree

bool tree_insert(struct tree *tree, uint32_t slot, struct tree_slot *named) {
    uint64_t deadline_ns = named->deadline_ns;
    struct tree_node *node = NULL;
    struct tree_bucket *bucket = &tree->root;
    while (bucket->kind == TREE_NODE) {
        node = bucket->node;
        if (!belongs(node, deadline_ns)) {
            node = plant_between(tree, bucket, deadline_ns);
            if (node == NULL) return false;
        }
        bucket = &node->buckets[digit_of(node, deadline_ns)];
    }
    append(tree, bucket, node, slot, named);
    if (tree->count++ == 0 || (tree->first != POOL_NOTHING && deadline_ns < tree->first_ns)) {
        tree->first = slot;
        tree->first_ns = deadline_ns;
    } else if (tree->first == POOL_NOTHING) {
        tree->front = NULL;
    }
    // Without memory for a node the list grows longer: slower, and still right.
    if (bucket->count > MANY && bucket->kind == TREE_MIXED) split(tree, bucket, node);
    return true;
}

void tree_remove(struct tree *tree, uint32_t slot, const struct tree_slot *named) {
    struct tree_node *node = node_of(tree, named);
    uint32_t digit = named->bucket & (TREE_BUCKETS - 1);
    struct tree_bucket *bucket = node == NULL ? &tree->root : &node->buckets[digit];
    if (tree->first == slot) {
        tree->first = POOL_NOTHING;
        tree->front = bucket;
    }
    tree->count--;
    if (--bucket->count == 0) {
        bucket->kind = TREE_EMPTY;
        tree->front = NULL;
        prune(tree, node, digit);
        return;
    }
    if (named->previous == POOL_NOTHING) {
        bucket->first = named->next;
    } else {
        tree_slot(tree, named->previous)->next = named->next;
    }
    if (named->next == POOL_NOTHING) {
        bucket->last = named->previous;
    } else {
        tree_slot(tree, named->next)->previous = named->previous;
    }
}

/// The first of a list that holds several deadlines.
static uint32_t least_of(const struct tree *tree, const struct tree_bucket *bucket) {
    uint32_t least = bucket->first, slot = tree_slot(tree, least)->next;
    uint64_t least_ns = tree_slot(tree, least)->deadline_ns;
    while (slot != POOL_NOTHING) {
        const struct tree_slot *named = tree_slot(tree, slot);
        if (named->deadline_ns < least_ns) {
            least = slot;
            least_ns = named->deadline_ns;
        }
        slot = named->next;
    }
    return least;
}

uint32_t tree_first(struct tree *tree) {
    if (tree->first != POOL_NOTHING || tree->count == 0) return tree->first;
    struct tree_bucket *bucket = &tree->root;
    struct tree_node *parent = NULL;
    if (tree->front != NULL) {
        bucket = tree->front;
        parent = node_of(tree, tree_slot(tree, bucket->first));
    }
    for (;;) {
        if (bucket->kind == TREE_NODE) {
            parent = bucket->node;
            bucket = &parent->buckets[__builtin_ctzll(parent->occupied)];
        } else if (bucket->kind == TREE_EQUAL || bucket->count <= FEW || !split(tree, bucket, parent)) {
            break;
        }
    }
    tree->first = bucket->kind == TREE_EQUAL ? bucket->first : least_of(tree, bucket);
    tree->first_ns = tree_slot(tree, tree->first)->deadline_ns;
    return tree->first;
}

// MARK: - Invariants

static uint64_t check_list(const struct tree *tree, const struct tree_bucket *bucket, uint32_t place) {
    uint32_t previous = POOL_NOTHING, count = 0;
    for (uint32_t slot = bucket->first; slot != POOL_NOTHING;) {
        const struct tree_slot *named = tree_slot(tree, slot);
        must_hold(named->generation != 0, "a slot in the tree is live");
        must_hold(named->bucket == place, "a slot knows its bucket");
        must_hold(named->previous == previous, "a slot knows the one before it");
        must_hold(bucket->kind == TREE_MIXED ||
                      named->deadline_ns == tree_slot(tree, bucket->first)->deadline_ns,
                  "a bucket of equal deadlines has one");
        previous = slot;
        slot = named->next;
        count++;
    }
    must_hold(bucket->last == previous, "a bucket knows its last slot");
    must_hold(bucket->count == count && count > 0, "a bucket knows how many it holds");
    return count;
}

static uint64_t check_node(const struct tree *tree, const struct tree_node *node, uint64_t *node_count);

static uint64_t check_bucket(const struct tree *tree, const struct tree_bucket *bucket, uint32_t place,
                             const struct tree_node *parent, uint64_t *node_count) {
    switch (bucket->kind) {
    case TREE_EMPTY: return 0;
    case TREE_NODE:
        must_hold(bucket->node->parent == parent, "a node knows its parent");
        must_hold(parent == NULL || (belongs(parent, bucket->node->prefix) &&
                                     digit_of(parent, bucket->node->prefix) == bucket->node->digit &&
                                     parent->shift > bucket->node->shift),
                  "a node stands where its deadlines lead to");
        return check_node(tree, bucket->node, node_count);
    default: return check_list(tree, bucket, place);
    }
}

static uint64_t check_node(const struct tree *tree, const struct tree_node *node, uint64_t *node_count) {
    uint64_t count = 0;
    ++*node_count;
    must_hold(node->occupied != 0, "a node is not empty");
    must_hold(node_at(tree, node->number) == node, "a node knows its number");
    for (uint32_t digit = 0; digit < TREE_BUCKETS; digit++) {
        const struct tree_bucket *bucket = &node->buckets[digit];
        must_hold((node->occupied >> digit & 1) == (bucket->kind != TREE_EMPTY),
                  "a node knows what is empty");
        count += check_bucket(tree, bucket, node->number << TREE_DIGIT_BITS | digit, node, node_count);
        if (bucket->kind == TREE_EMPTY || bucket->kind == TREE_NODE) continue;
        for (uint32_t slot = bucket->first; slot != POOL_NOTHING; slot = tree_slot(tree, slot)->next) {
            uint64_t deadline_ns = tree_slot(tree, slot)->deadline_ns;
            must_hold(belongs(node, deadline_ns) && digit_of(node, deadline_ns) == digit,
                      "a slot stands where its deadline leads to");
        }
    }
    return count;
}

void tree_check(const struct tree *tree) {
    uint64_t node_count = 0;
    uint64_t count = check_bucket(tree, &tree->root, TREE_ROOT, NULL, &node_count);
    must_hold(count == tree->count, "the tree knows how many it holds");
    must_hold(count == pool_live_count(&tree->slots), "each live slot stands in the tree");
    must_hold(node_count == pool_live_count(&tree->nodes), "each live node stands in the tree");
    pool_check(&tree->slots);
    pool_check(&tree->nodes);
    if (tree->first == POOL_NOTHING) {
        must_hold(tree->front == NULL || tree->front->kind == TREE_EQUAL || tree->front->kind == TREE_MIXED,
                  "the front is a list");
        return;
    }
    // The first, against another way of finding it: down the leftmost buckets.
    const struct tree_bucket *bucket = &tree->root;
    while (bucket->kind == TREE_NODE)
        bucket = &bucket->node->buckets[__builtin_ctzll(bucket->node->occupied)];
    must_hold(tree->first == least_of(tree, bucket), "the first is the first");
    must_hold(tree->first_ns == tree_slot(tree, tree->first)->deadline_ns, "the first's deadline is noted");
}
