#include "pool.h"

#include <stdlib.h>
#include <string.h>

#include "invariant.h"

enum { CACHE_LINE = 64 };

void pool_open(struct pool *pool, uint32_t item_size, uint32_t page_bits) {
    *pool = (struct pool){
        .first_roomy = POOL_NOTHING,
        .first_absent = POOL_NOTHING,
        .item_size = item_size,
        .page_bits = page_bits,
    };
}

void pool_close(struct pool *pool) {
    for (uint32_t index = 0; index < pool->page_count; index++) free(pool->items[index]);
    free(pool->pages);
    free(pool->items);
}

// MARK: - Pages

/// Where the page keeps the number of the free item that follows this free one.
static uint32_t *link_of(const struct pool *pool, uint32_t index, uint32_t offset) {
    return (uint32_t *)(void *)(pool->items[index] + (size_t)offset * pool->item_size);
}

void pool_page_has_room(struct pool *pool, uint32_t index) {
    struct pool_page *page = &pool->pages[index];
    page->previous = POOL_NOTHING;
    page->next = pool->first_roomy;
    if (page->next != POOL_NOTHING) pool->pages[page->next].previous = index;
    pool->first_roomy = index;
}

void pool_page_is_full(struct pool *pool, uint32_t index) {
    struct pool_page *page = &pool->pages[index];
    if (page->previous != POOL_NOTHING) {
        pool->pages[page->previous].next = page->next;
    } else {
        pool->first_roomy = page->next;
    }
    if (page->next != POOL_NOTHING) pool->pages[page->next].previous = page->previous;
}

/// Finds the index for one more page: one that was given back, or a new one at the end.
static uint32_t reserve_page(struct pool *pool) {
    if (pool->first_absent != POOL_NOTHING) return pool->first_absent;
    if (pool->page_count == pool->page_capacity) {
        uint32_t capacity = pool->page_capacity == 0 ? 8 : pool->page_capacity * 2;
        if (capacity > UINT32_MAX >> pool->page_bits) return POOL_NOTHING;
        struct pool_page *pages = realloc(pool->pages, capacity * sizeof *pages);
        if (pages == NULL) return POOL_NOTHING;
        pool->pages = pages;
        unsigned char **all_items = realloc(pool->items, capacity * sizeof *all_items);
        if (all_items == NULL) return POOL_NOTHING;
        pool->items = all_items;
        pool->page_capacity = capacity;
    }
    return pool->page_count;
}

bool pool_add_page(struct pool *pool) {
    uint32_t index = reserve_page(pool);
    if (index == POOL_NOTHING) return false;
    uint32_t item_count = 1u << pool->page_bits;
    size_t size = (size_t)item_count * pool->item_size;
    unsigned char *items = aligned_alloc(CACHE_LINE, (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
    if (items == NULL) return false;
    memset(items, 0, size);
    struct pool_page *page = &pool->pages[index];
    if (index == pool->page_count) {
        pool->page_count++;
    } else {
        pool->first_absent = page->next;
    }
    *page = (struct pool_page){.first_free = 0};
    pool->items[index] = items;
    for (uint32_t i = 0; i < item_count; i++) {
        *link_of(pool, index, i) = i + 1 < item_count ? i + 1 : POOL_NOTHING;
    }
    pool_page_has_room(pool, index);
    return true;
}

void pool_page_is_empty(struct pool *pool, uint32_t index) {
    struct pool_page *page = &pool->pages[index];
    // The only page with room stays, or one item at a page's edge would cost malloc and free each time.
    if (pool->first_roomy == index && page->next == POOL_NOTHING) return;
    pool_page_is_full(pool, index);
    free(pool->items[index]);
    pool->items[index] = NULL;
    page->next = pool->first_absent;
    pool->first_absent = index;
}

// MARK: - Invariants

uint64_t pool_live_count(const struct pool *pool) {
    uint64_t live_count = 0;
    for (uint32_t index = 0; index < pool->page_count; index++) {
        if (pool->items[index] != NULL) live_count += pool->pages[index].live_count;
    }
    return live_count;
}

void pool_check(const struct pool *pool) {
    uint32_t roomy_count = 0, absent_count = 0, linked_count = 0;
    for (uint32_t index = 0; index < pool->page_count; index++) {
        const struct pool_page *page = &pool->pages[index];
        if (pool->items[index] == NULL) {
            absent_count++;
            continue;
        }
        uint32_t free_count = 0;
        for (uint32_t i = page->first_free; i != POOL_NOTHING; i = *link_of(pool, index, i)) free_count++;
        must_hold(free_count + page->live_count == 1u << pool->page_bits, "an item is live or free");
        roomy_count += free_count > 0;
    }
    for (uint32_t index = pool->first_roomy, previous = POOL_NOTHING; index != POOL_NOTHING;
         previous = index, index = pool->pages[index].next) {
        must_hold(pool->pages[index].previous == previous, "a page with room knows the one before it");
        linked_count++;
    }
    must_hold(linked_count == roomy_count, "each page with room can be found");
    for (uint32_t index = pool->first_absent; index != POOL_NOTHING; index = pool->pages[index].next) {
        must_hold(absent_count-- > 0, "a page that was given back is listed once");
    }
    must_hold(absent_count == 0, "each page that was given back is listed");
}
