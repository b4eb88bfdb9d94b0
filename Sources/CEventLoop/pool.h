/// Things of one size under stable numbers, in pages that never move and are freed when empty.
#ifndef EL_POOL_H
#define EL_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "visibility.h"

static const uint32_t POOL_NOTHING = UINT32_MAX;

struct pool_page {
    uint32_t live_count;
    uint32_t first_free;
    uint32_t next, previous; // among the pages that have a free item
};

/// An item that is free lends its first four bytes to the pool. A new page's other bytes are zero.
struct pool {
    unsigned char **items; // of each page; NULL: given back
    struct pool_page *pages;
    uint32_t page_count, page_capacity;
    uint32_t first_roomy;  // a page with items and room
    uint32_t first_absent; // a page that was given back
    uint32_t item_size;
    uint32_t page_bits; // a page holds 1 << page_bits items
};

EL_ROOM void pool_open(struct pool *pool, uint32_t item_size, uint32_t page_bits);
EL_ROOM void pool_close(struct pool *pool);

// What is hot is inline, and given the pool's two numbers again as constants: half the instructions.

EL_ROOM bool pool_add_page(struct pool *pool);
EL_ROOM void pool_page_is_full(struct pool *pool, uint32_t page);
EL_ROOM void pool_page_has_room(struct pool *pool, uint32_t page);
EL_ROOM void pool_page_is_empty(struct pool *pool, uint32_t page);

static inline void *pool_at(const struct pool *pool, uint32_t item, uint32_t item_size, uint32_t page_bits) {
    return pool->items[item >> page_bits] + (size_t)(item & ((1u << page_bits) - 1)) * item_size;
}

/// Returns a free item's number, or POOL_NOTHING when memory ran out.
static inline uint32_t pool_take(struct pool *pool, uint32_t item_size, uint32_t page_bits) {
    if (pool->first_roomy == POOL_NOTHING && !pool_add_page(pool)) return POOL_NOTHING;
    uint32_t index = pool->first_roomy;
    struct pool_page *page = &pool->pages[index];
    uint32_t item = index << page_bits | page->first_free;
    page->first_free = *(uint32_t *)pool_at(pool, item, item_size, page_bits);
    page->live_count++;
    if (page->first_free == POOL_NOTHING) pool_page_is_full(pool, index);
    return item;
}

static inline void pool_give_back(struct pool *pool, uint32_t item, uint32_t item_size, uint32_t page_bits) {
    uint32_t index = item >> page_bits;
    struct pool_page *page = &pool->pages[index];
    if (page->first_free == POOL_NOTHING) pool_page_has_room(pool, index);
    *(uint32_t *)pool_at(pool, item, item_size, page_bits) = page->first_free;
    page->first_free = item & ((1u << page_bits) - 1);
    if (--page->live_count == 0) pool_page_is_empty(pool, index);
}

static inline bool pool_has_page(const struct pool *pool, uint32_t item, uint32_t page_bits) {
    uint32_t page = item >> page_bits;
    return page < pool->page_count && pool->items[page] != NULL;
}

EL_ROOM uint64_t pool_live_count(const struct pool *pool);
EL_ROOM void pool_check(const struct pool *pool);

#endif
