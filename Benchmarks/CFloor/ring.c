#include "ring.h"

#include <string.h>

void ring_grow(struct ring *ring) {
    uint32_t old_capacity = ring->capacity;
    ring->capacity *= 2;
    ring->slots = allocate_again(ring->slots, ring->capacity, sizeof *ring->slots);
    // A full ring wraps at its head: what stands before the head belongs behind the old end.
    memcpy(ring->slots + old_capacity, ring->slots, ring->head * sizeof *ring->slots);
}
