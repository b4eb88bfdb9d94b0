/// Callbacks in order: a ring that doubles when it is full.
#ifndef FLOOR_RING_H
#define FLOOR_RING_H

#include "allocate.h"
#include "callback.h"

#include <stdint.h>

struct ring {
    struct callback *slots;
    uint32_t capacity; // a power of two, so that a mask wraps the positions
    uint32_t head;
    uint32_t count;
};

static inline void ring_open(struct ring *ring) {
    *ring = (struct ring){.capacity = 1024};
    ring->slots = allocate_zeroed(ring->capacity, sizeof *ring->slots);
}

static inline void ring_close(struct ring *ring) { free(ring->slots); }

void ring_grow(struct ring *ring);

static inline void ring_push(struct ring *ring, struct callback callback) {
    if (ring->count == ring->capacity) ring_grow(ring);
    ring->slots[(ring->head + ring->count++) & (ring->capacity - 1)] = callback;
}

/// Only while there is one.
static inline struct callback ring_pop(struct ring *ring) {
    struct callback callback = ring->slots[ring->head];
    ring->head = (ring->head + 1) & (ring->capacity - 1);
    ring->count--;
    return callback;
}

#endif
