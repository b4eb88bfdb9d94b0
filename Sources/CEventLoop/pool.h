/// Things of one size under stable numbers, in pages that never move and are freed when empty.
#ifndef EL_POOL_H
#define EL_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "visibility.h"

static const uint32_t POOL_NOTHING = UINT32_MAX;

struct pool_page {
    unsigned char *items; // NULL: given back
    uint32_t live_count;
    uint32_t first_free;
    uint32_t next, previous; // among the pages that have a free item
};

/// An item that is free lends its first four bytes to the pool. A new page's other bytes are zero.
struct pool {
    struct pool_page *pages;
    uint32_t page_count, page_capacity;
    uint32_t first_roomy;  // a page with items and room
    uint32_t first_absent; // a page that was given back
    uint32_t item_size;
    uint32_t page_bits; // a page holds 1 << page_bits items
};

EL_ROOM void pool_open(struct pool *pool, uint32_t item_size, uint32_t page_bits);
EL_ROOM void pool_close(struct pool *pool);

/// Returns a free item's number, or POOL_NOTHING when memory ran out.
EL_ROOM uint32_t pool_take(struct pool *pool);
EL_ROOM void pool_give_back(struct pool *pool, uint32_t item);

static inline bool pool_has_page(const struct pool *pool, uint32_t item) {
    uint32_t page = item >> pool->page_bits;
    return page < pool->page_count && pool->pages[page].items != NULL;
}

EL_ROOM uint64_t pool_live_count(const struct pool *pool);
EL_ROOM void pool_check(const struct pool *pool);

#endif
