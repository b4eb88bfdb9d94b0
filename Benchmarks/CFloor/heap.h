/// Callbacks by deadline: a 4-ary heap in which each timer knows its place, so that it can be cancelled.
#ifndef FLOOR_HEAP_H
#define FLOOR_HEAP_H

#include "callback.h"

#include <stdint.h>

struct heap_entry {
    uint64_t deadline_ns;
    uint32_t timer;
};

struct heap_timer {
    struct callback callback;
    uint32_t position; // in the entries; of a free timer: the next free one
};

struct heap {
    struct heap_entry *entries;
    struct heap_timer *timers;
    uint32_t count;
    uint32_t capacity;
    uint32_t first_free_timer;
};

void heap_open(struct heap *heap);
void heap_close(struct heap *heap);
uint32_t heap_push(struct heap *heap, uint64_t deadline_ns, struct callback callback);
void heap_cancel(struct heap *heap, uint32_t timer);
/// Only while there is one.
struct callback heap_pop(struct heap *heap);

/// UINT64_MAX when there is none.
static inline uint64_t heap_first_ns(const struct heap *heap) {
    return heap->count == 0 ? UINT64_MAX : heap->entries[0].deadline_ns;
}

#endif
