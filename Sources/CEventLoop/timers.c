#include "timers.h"

#include <errno.h>

void timers_open(struct timers *timers) {
    timers->last_generation = 0;
    tree_open(&timers->tree);
}

void timers_close(struct timers *timers) { tree_close(&timers->tree); }

el_timer timers_start(struct timers *timers, uint64_t deadline_ns, uint64_t token) {
    uint32_t slot = tree_take_slot(&timers->tree);
    if (slot == POOL_NOTHING) return 0;
    // 0 is left out: it says that a slot is free, and so no id is 0.
    if (++timers->last_generation == 0) timers->last_generation = 1;
    struct tree_slot *named = tree_slot(&timers->tree, slot);
    uint32_t generation = timers->last_generation;
    named->deadline_ns = deadline_ns;
    named->token = token;
    named->generation = generation;
    if (tree_insert(&timers->tree, slot, named)) return (uint64_t)generation << 32 | slot;
    tree_give_back_slot(&timers->tree, slot, named);
    return 0;
}

int timers_cancel(struct timers *timers, el_timer timer) {
    uint32_t slot = (uint32_t)timer, generation = (uint32_t)(timer >> 32);
    if (generation == 0 || !pool_has_page(&timers->tree.slots, slot, TREE_SLOT_PAGE_BITS)) return -ENOENT;
    struct tree_slot *named = tree_slot(&timers->tree, slot);
    if (named->generation != generation) return -ENOENT;
    tree_remove(&timers->tree, slot, named);
    tree_give_back_slot(&timers->tree, slot, named);
    return 0;
}

uint64_t timers_count(const struct timers *timers) { return timers->tree.count; }

uint64_t timers_earliest(struct timers *timers) {
    return tree_first(&timers->tree) == POOL_NOTHING ? EL_NEVER : timers->tree.first_ns;
}

bool timers_pop_due(struct timers *timers, uint64_t now_ns, uint64_t *token) {
    // A deadline of EL_NEVER is not due, even when a manual clock stands at its end.
    if (timers->tree.count == 0 || timers_earliest(timers) > now_ns) return false;
    uint32_t slot = timers->tree.first;
    struct tree_slot *named = tree_slot(&timers->tree, slot);
    *token = named->token;
    tree_remove(&timers->tree, slot, named);
    tree_give_back_slot(&timers->tree, slot, named);
    return true;
}

void timers_check(const struct timers *timers) { tree_check(&timers->tree); }
