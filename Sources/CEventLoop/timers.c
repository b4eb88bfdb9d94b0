#include "timers.h"

#include <errno.h>

void timers_open(struct timers *timers) {
    timers->last_generation = 0;
    tree_open(&timers->tree);
}

void timers_close(struct timers *timers) { tree_close(&timers->tree); }

static void give_back_slot(struct tree *tree, uint32_t slot) {
    slot_at(&tree->memory, slot)->generation = 0;
    pool_give_back(&tree->memory.slots, slot, sizeof(struct timer_slot), SLOT_PAGE_BITS);
}

el_timer timers_start(struct timers *timers, uint64_t deadline_ns, uint64_t token) {
    struct tree *tree = &timers->tree;
    uint32_t slot = pool_take(&tree->memory.slots, sizeof(struct timer_slot), SLOT_PAGE_BITS);
    if (slot == POOL_NOTHING) return 0;
    if (!tree_insert(tree, slot, deadline_ns)) {
        give_back_slot(tree, slot);
        return 0;
    }
    // 0 is left out: it says that a slot is free, and so no id is 0.
    if (++timers->last_generation == 0) timers->last_generation = 1;
    struct timer_slot *named = slot_at(&tree->memory, slot);
    named->token = token;
    named->generation = timers->last_generation;
    return (uint64_t)timers->last_generation << 32 | slot;
}

int timers_cancel(struct timers *timers, el_timer timer) {
    struct tree *tree = &timers->tree;
    uint32_t slot = (uint32_t)timer, generation = (uint32_t)(timer >> 32);
    if (generation == 0 || !pool_has_page(&tree->memory.slots, slot, SLOT_PAGE_BITS)) return -ENOENT;
    if (slot_at(&tree->memory, slot)->generation != generation) return -ENOENT;
    tree_remove(tree, slot);
    give_back_slot(tree, slot);
    return 0;
}

uint64_t timers_count(const struct timers *timers) { return timers->tree.count; }

uint64_t timers_earliest(struct timers *timers) {
    return tree_first(&timers->tree) == POOL_NOTHING ? EL_NEVER : timers->tree.first_ns;
}

bool timers_pop_due(struct timers *timers, uint64_t now_ns, uint64_t *token) {
    struct tree *tree = &timers->tree;
    // A deadline of EL_NEVER is not due, even when a manual clock stands at its end.
    if (tree->count == 0 || timers_earliest(timers) > now_ns) return false;
    uint32_t slot = tree->first;
    *token = slot_at(&tree->memory, slot)->token;
    tree_remove(tree, slot);
    give_back_slot(tree, slot);
    return true;
}

void timers_check(const struct timers *timers) { tree_check(&timers->tree); }
