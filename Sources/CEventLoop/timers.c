#include "timers.h"

#include <errno.h>
#include <stdlib.h>

#include "invariant.h"

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

void timers_open(struct timers *timers) {
    *timers = (struct timers){.first_roomy = NO_PAGE, .first_absent = NO_PAGE};
}

void timers_close(struct timers *timers) {
    for (uint32_t index = 0; index < timers->page_count; index++) free(timers->pages[index].slots);
    free(timers->pages);
    free(timers->heap);
}

el_timer timers_start(struct timers *timers, uint64_t deadline_ns, uint64_t token) {
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

int timers_cancel(struct timers *timers, el_timer timer) {
    uint32_t slot = (uint32_t)timer, generation = (uint32_t)(timer >> 32);
    if (generation == 0 || slot / SLOTS_PER_PAGE >= timers->page_count) return -ENOENT;
    if (timers->pages[slot / SLOTS_PER_PAGE].slots == NULL) return -ENOENT;
    struct timer_slot *named = slot_at(timers, slot);
    if (named->generation != generation) return -ENOENT;
    remove_at(timers, named->position);
    return 0;
}

uint64_t timers_earliest(const struct timers *timers) {
    return timers->count == 0 ? EL_NEVER : timers->heap[0].deadline_ns;
}

bool timers_pop_due(struct timers *timers, uint64_t now_ns, uint64_t *token) {
    // A deadline of EL_NEVER is not due, even when a manual clock stands at its end.
    if (timers->count == 0 || timers->heap[0].deadline_ns > now_ns) return false;
    *token = slot_at(timers, timers->heap[0].slot)->token;
    remove_at(timers, 0);
    return true;
}

void timers_check(const struct timers *timers) {
    uint64_t live_count = 0;
    for (uint32_t index = 0; index < timers->page_count; index++) {
        if (timers->pages[index].slots != NULL) live_count += timers->pages[index].live_count;
    }
    must_hold(live_count == timers->count, "each live slot has an entry in the heap");
    for (size_t i = 0; i < timers->count; i++) {
        const struct timer_entry *entry = &timers->heap[i];
        const struct timer_slot *slot = slot_at(timers, entry->slot);
        must_hold(slot->position == i, "a slot knows where its entry stands");
        must_hold(slot->generation == (uint32_t)entry->sequence, "a slot and its entry agree");
        must_hold(i == 0 || !is_before(entry, &timers->heap[(i - 1) / 4]), "no child before its parent");
    }
}
