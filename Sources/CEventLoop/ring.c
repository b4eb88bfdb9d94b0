#include "ring.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "invariant.h"

enum { ABSENT = -1, SMALLEST = 64 };

void ring_close(struct ring *ring) {
    free(ring->links);
    *ring = (struct ring){0};
}

int ring_reserve(struct ring *ring, int number) {
    if (number < ring->capacity) return 0;
    int capacity = ring->capacity == 0 ? SMALLEST : ring->capacity;
    while (capacity <= number) capacity = capacity > INT_MAX / 2 ? INT_MAX : capacity * 2;
    struct ring_link *grown = realloc(ring->links, (size_t)capacity * sizeof *grown);
    if (grown == NULL) return -ENOMEM;
    for (int i = ring->capacity; i < capacity; i++) grown[i] = (struct ring_link){ABSENT, ABSENT};
    ring->links = grown;
    ring->capacity = capacity;
    return 0;
}

bool ring_has(const struct ring *ring, int number) {
    return number >= 0 && number < ring->capacity && ring->links[number].next != ABSENT;
}

void ring_insert(struct ring *ring, int number) {
    if (ring_has(ring, number)) return;
    int next = ring->count == 0 ? number : ring->current;
    int previous = ring->count == 0 ? number : ring->links[next].previous;
    ring->links[number] = (struct ring_link){next, previous};
    ring->links[previous].next = number;
    ring->links[next].previous = number;
    if (ring->count++ == 0) ring->current = number;
}

void ring_remove(struct ring *ring, int number) {
    if (!ring_has(ring, number)) return;
    struct ring_link link = ring->links[number];
    ring->links[link.previous].next = link.next;
    ring->links[link.next].previous = link.previous;
    ring->links[number] = (struct ring_link){ABSENT, ABSENT};
    if (ring->current == number) ring->current = link.next;
    ring->count--;
}

int ring_take(struct ring *ring) {
    int number = ring->current;
    ring->current = ring->links[number].next;
    return number;
}

void ring_check(const struct ring *ring) {
    int present = 0;
    for (int number = 0; number < ring->capacity; number++) {
        if (!ring_has(ring, number)) continue;
        const struct ring_link *link = &ring->links[number];
        must_hold(ring_has(ring, link->next) && ring->links[link->next].previous == number,
                  "neighbours in a ring know each other");
        present++;
    }
    must_hold(present == ring->count, "a ring counts its numbers");
    must_hold(ring->count == 0 || ring_has(ring, ring->current), "it is somebody's turn");
}
