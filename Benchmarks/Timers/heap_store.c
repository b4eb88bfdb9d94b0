// What the tree replaced: a heap of four children a node, ordered by (deadline, start), with stable ids.
#include <stdlib.h>

#include "store.h"

/// An entry of the heap. It carries what the order needs, so that a comparison touches no slot.
struct timer_entry {
    uint64_t deadline_ns;
    uint64_t sequence; // the order of starting decides between equal deadlines
    uint32_t slot;
};

/// What a timer's id leads to. Pages of slots never move, and a page without a live timer is freed.
struct timer_slot {
    uint64_t token;
    uint32_t generation; // 0: free
    uint32_t position;   // live: where its entry stands in the heap; free: the page's next free slot
};

struct timer_page {
    struct timer_slot *slots; // NULL: given back
    uint32_t live_count;
    uint32_t first_free;
    uint32_t next, previous; // among the pages that have a free slot
};

struct timers {
    struct timer_entry *heap; // four children a node: half the levels of a binary heap
    size_t count, capacity;
    uint64_t last_sequence;
    struct timer_page *pages;
    uint32_t page_count, page_capacity;
    uint32_t first_roomy;  // a page with slots and room, or NO_PAGE
    uint32_t first_absent; // a page that was given back, or NO_PAGE
};

enum { SLOTS_PER_PAGE = 256, SMALLEST_HEAP = 64 };
static const uint32_t NO_PAGE = UINT32_MAX;
static const uint32_t NO_SLOT = UINT32_MAX;

// MARK: - Slots: a stable address for each live timer

static struct timer_slot *slot_at(const struct timers *timers, uint32_t slot) {
    return &timers->pages[slot / SLOTS_PER_PAGE].slots[slot % SLOTS_PER_PAGE];
}

static void link_roomy(struct timers *timers, uint32_t index) {
    struct timer_page *page = &timers->pages[index];
    page->previous = NO_PAGE;
    page->next = timers->first_roomy;
    if (page->next != NO_PAGE) timers->pages[page->next].previous = index;
    timers->first_roomy = index;
}

static void unlink_roomy(struct timers *timers, uint32_t index) {
    struct timer_page *page = &timers->pages[index];
    if (page->previous != NO_PAGE) {
        timers->pages[page->previous].next = page->next;
    } else {
        timers->first_roomy = page->next;
    }
    if (page->next != NO_PAGE) timers->pages[page->next].previous = page->previous;
}

/// Finds the index for one more page: one that was given back, or a new one at the end.
static uint32_t reserve_page(struct timers *timers) {
    if (timers->first_absent != NO_PAGE) return timers->first_absent;
    if (timers->page_count == timers->page_capacity) {
        uint32_t capacity = timers->page_capacity == 0 ? 8 : timers->page_capacity * 2;
        if (capacity > UINT32_MAX / SLOTS_PER_PAGE) return NO_PAGE;
        struct timer_page *grown = realloc(timers->pages, capacity * sizeof *timers->pages);
        if (grown == NULL) return NO_PAGE;
        timers->pages = grown;
        timers->page_capacity = capacity;
    }
    return timers->page_count;
}

static bool add_page(struct timers *timers) {
    uint32_t index = reserve_page(timers);
    if (index == NO_PAGE) return false;
    struct timer_slot *slots = malloc(SLOTS_PER_PAGE * sizeof *slots);
    if (slots == NULL) return false;
    struct timer_page *page = &timers->pages[index];
    if (index == timers->page_count) {
        timers->page_count++;
    } else {
        timers->first_absent = page->next;
    }
    *page = (struct timer_page){.slots = slots, .first_free = 0};
    for (uint32_t i = 0; i < SLOTS_PER_PAGE; i++) {
        slots[i].generation = 0;
        slots[i].position = i + 1 < SLOTS_PER_PAGE ? i + 1 : NO_SLOT;
    }
    link_roomy(timers, index);
    return true;
}

static uint32_t take_slot(struct timers *timers) {
    if (timers->first_roomy == NO_PAGE && !add_page(timers)) return NO_SLOT;
    uint32_t index = timers->first_roomy;
    struct timer_page *page = &timers->pages[index];
    uint32_t offset = page->first_free;
    page->first_free = page->slots[offset].position;
    page->live_count++;
    if (page->first_free == NO_SLOT) unlink_roomy(timers, index);
    return index * SLOTS_PER_PAGE + offset;
}

static void give_back_slot(struct timers *timers, uint32_t slot) {
    uint32_t index = slot / SLOTS_PER_PAGE, offset = slot % SLOTS_PER_PAGE;
    struct timer_page *page = &timers->pages[index];
    if (page->first_free == NO_SLOT) link_roomy(timers, index);
    page->slots[offset].generation = 0;
    page->slots[offset].position = page->first_free;
    page->first_free = offset;
    page->live_count--;
    // The only page with room stays, or one timer at a page's edge would cost malloc and free each time.
    bool is_only_roomy = timers->first_roomy == index && page->next == NO_PAGE;
    if (page->live_count == 0 && !is_only_roomy) {
        unlink_roomy(timers, index);
        free(page->slots);
        page->slots = NULL;
        page->next = timers->first_absent;
        timers->first_absent = index;
    }
}

// MARK: - The heap: children of node i stand at 4i+1 … 4i+4

static bool is_before(const struct timer_entry *a, const struct timer_entry *b) {
    if (a->deadline_ns != b->deadline_ns) return a->deadline_ns < b->deadline_ns;
    return a->sequence < b->sequence;
}

static void place(struct timers *timers, size_t position, struct timer_entry entry) {
    timers->heap[position] = entry;
    slot_at(timers, entry.slot)->position = (uint32_t)position;
}

static void sift_up(struct timers *timers, size_t position, struct timer_entry entry) {
    while (position > 0) {
        size_t parent = (position - 1) / 4;
        if (!is_before(&entry, &timers->heap[parent])) break;
        place(timers, position, timers->heap[parent]);
        position = parent;
    }
    place(timers, position, entry);
}

static void sift_down(struct timers *timers, size_t position, struct timer_entry entry) {
    for (;;) {
        size_t first = 4 * position + 1;
        if (first >= timers->count) break;
        size_t end = first + 4 < timers->count ? first + 4 : timers->count;
        size_t least = first;
        for (size_t child = first + 1; child < end; child++) {
            if (is_before(&timers->heap[child], &timers->heap[least])) least = child;
        }
        if (!is_before(&timers->heap[least], &entry)) break;
        place(timers, position, timers->heap[least]);
        position = least;
    }
    place(timers, position, entry);
}

static void resize_heap(struct timers *timers, size_t capacity) {
    struct timer_entry *moved = realloc(timers->heap, capacity * sizeof *moved);
    if (moved == NULL) return; // when shrinking, the larger block still serves
    timers->heap = moved;
    timers->capacity = capacity;
}

static void remove_at(struct timers *timers, size_t position) {
    give_back_slot(timers, timers->heap[position].slot);
    struct timer_entry last = timers->heap[--timers->count];
    if (position < timers->count) {
        if (position > 0 && is_before(&last, &timers->heap[(position - 1) / 4])) {
            sift_up(timers, position, last);
        } else {
            sift_down(timers, position, last);
        }
    }
    if (timers->capacity > SMALLEST_HEAP && timers->count < timers->capacity / 4) {
        resize_heap(timers, timers->capacity / 2);
    }
}

// MARK: - The room's door

static void timers_open(struct timers *timers) {
    *timers = (struct timers){.first_roomy = NO_PAGE, .first_absent = NO_PAGE};
}

static uint64_t timers_start(struct timers *timers, uint64_t deadline_ns, uint64_t token) {
    if (timers->count == timers->capacity) {
        resize_heap(timers, timers->capacity == 0 ? SMALLEST_HEAP : timers->capacity * 2);
        if (timers->count == timers->capacity) return 0;
    }
    uint32_t slot = take_slot(timers);
    if (slot == NO_SLOT) return 0;
    // The low half of the sequence is the id's generation; 0 is left out, so no id is 0.
    uint64_t sequence = ++timers->last_sequence;
    if ((uint32_t)sequence == 0) sequence = ++timers->last_sequence;
    struct timer_slot *named = slot_at(timers, slot);
    named->token = token;
    named->generation = (uint32_t)sequence;
    struct timer_entry entry = {deadline_ns, sequence, slot};
    sift_up(timers, timers->count++, entry);
    return (uint64_t)(uint32_t)sequence << 32 | slot;
}

static int timers_cancel(struct timers *timers, uint64_t timer) {
    uint32_t slot = (uint32_t)timer, generation = (uint32_t)(timer >> 32);
    if (generation == 0 || slot / SLOTS_PER_PAGE >= timers->page_count) return -1;
    if (timers->pages[slot / SLOTS_PER_PAGE].slots == NULL) return -1;
    struct timer_slot *named = slot_at(timers, slot);
    if (named->generation != generation) return -1;
    remove_at(timers, named->position);
    return 0;
}

static uint64_t timers_earliest(const struct timers *timers) {
    return timers->count == 0 ? UINT64_MAX : timers->heap[0].deadline_ns;
}

static bool timers_pop_due(struct timers *timers, uint64_t now_ns, uint64_t *token) {
    // A deadline of UINT64_MAX is not due, even when a manual clock stands at its end.
    if (timers->count == 0 || timers->heap[0].deadline_ns > now_ns) return false;
    *token = slot_at(timers, timers->heap[0].slot)->token;
    remove_at(timers, 0);
    return true;
}

// MARK: - The store

static struct timers timers;

static void open_store(size_t most) {
    (void)most;
    timers_open(&timers);
}

static uint64_t start(uint64_t deadline_ns) { return timers_start(&timers, deadline_ns, 1); }

static void cancel(uint64_t timer) {
    if (timers_cancel(&timers, timer) != 0) abort();
}

static uint64_t earliest(void) { return timers_earliest(&timers); }

static size_t fire(uint64_t now_ns) {
    uint64_t token;
    size_t fired = 0;
    while (timers_pop_due(&timers, now_ns, &token)) fired++;
    return fired;
}

const struct store heap_store = {"heap", open_store, start, cancel, earliest, fire, true};
