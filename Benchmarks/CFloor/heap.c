#include "heap.h"

#include "allocate.h"

// Four children a node: half the levels of a binary heap, and the children of a node lie in one or two
// cache lines, so finding the least of four costs about as much as finding the lesser of two.
enum { CHILDREN = 4, FIRST_CAPACITY = 64 };

void heap_open(struct heap *heap) { *heap = (struct heap){.first_free_timer = UINT32_MAX}; }

void heap_close(struct heap *heap) {
    free(heap->entries);
    free(heap->timers);
}

static void grow(struct heap *heap) {
    uint32_t old_capacity = heap->capacity;
    heap->capacity = old_capacity == 0 ? FIRST_CAPACITY : old_capacity * 2;
    heap->entries = allocate_again(heap->entries, heap->capacity, sizeof *heap->entries);
    heap->timers = allocate_again(heap->timers, heap->capacity, sizeof *heap->timers);
}

// A timer is taken from the freed ones, or else from the untouched end: as many timers exist as entries,
// so without a free one the next number is the count.
static uint32_t take_timer(struct heap *heap) {
    uint32_t timer = heap->first_free_timer;
    if (timer == UINT32_MAX) return heap->count;
    heap->first_free_timer = heap->timers[timer].position;
    return timer;
}

static void free_timer(struct heap *heap, uint32_t timer) {
    heap->timers[timer].position = heap->first_free_timer;
    heap->first_free_timer = timer;
}

static void place(struct heap *heap, uint32_t position, struct heap_entry entry) {
    heap->entries[position] = entry;
    heap->timers[entry.timer].position = position;
}

static void sift_up(struct heap *heap, uint32_t position, struct heap_entry entry) {
    while (position > 0) {
        uint32_t parent = (position - 1) / CHILDREN;
        if (heap->entries[parent].deadline_ns <= entry.deadline_ns) break;
        place(heap, position, heap->entries[parent]);
        position = parent;
    }
    place(heap, position, entry);
}

static void sift_down(struct heap *heap, uint32_t position, struct heap_entry entry) {
    for (;;) {
        uint32_t child = position * CHILDREN + 1;
        if (child >= heap->count) break;
        uint32_t end = child + CHILDREN < heap->count ? child + CHILDREN : heap->count;
        uint32_t least = child;
        while (++child < end) {
            if (heap->entries[child].deadline_ns < heap->entries[least].deadline_ns) least = child;
        }
        if (heap->entries[least].deadline_ns >= entry.deadline_ns) break;
        place(heap, position, heap->entries[least]);
        position = least;
    }
    place(heap, position, entry);
}

uint32_t heap_push(struct heap *heap, uint64_t deadline_ns, struct callback callback) {
    if (heap->count == heap->capacity) grow(heap);
    uint32_t timer = take_timer(heap);
    heap->timers[timer].callback = callback;
    sift_up(heap, heap->count++, (struct heap_entry){deadline_ns, timer});
    return timer;
}

static void remove_at(struct heap *heap, uint32_t position) {
    struct heap_entry last = heap->entries[--heap->count];
    if (position == heap->count) return;
    // The last entry fills the gap, and belongs above or below it.
    if (position > 0 && heap->entries[(position - 1) / CHILDREN].deadline_ns > last.deadline_ns) {
        sift_up(heap, position, last);
    } else {
        sift_down(heap, position, last);
    }
}

void heap_cancel(struct heap *heap, uint32_t timer) {
    remove_at(heap, heap->timers[timer].position);
    free_timer(heap, timer);
}

struct callback heap_pop(struct heap *heap) {
    uint32_t timer = heap->entries[0].timer;
    struct callback callback = heap->timers[timer].callback;
    remove_at(heap, 0);
    free_timer(heap, timer);
    return callback;
}
