/// Numbers in order: which of many deadlines comes first. Knows no clock.
#ifndef EL_TIMERS_H
#define EL_TIMERS_H

#include <stddef.h>

#include "CEventLoop.h"
#include "visibility.h"

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

EL_ROOM void timers_open(struct timers *timers);
EL_ROOM void timers_close(struct timers *timers);

/// Returns the new timer's id, or 0 when memory ran out.
EL_ROOM el_timer timers_start(struct timers *timers, uint64_t deadline_ns, uint64_t token);
EL_ROOM int timers_cancel(struct timers *timers, el_timer timer);

EL_ROOM uint64_t timers_earliest(const struct timers *timers);
/// Takes out the earliest timer if it is due at `now_ns`.
EL_ROOM bool timers_pop_due(struct timers *timers, uint64_t now_ns, uint64_t *token);

EL_ROOM void timers_check(const struct timers *timers);

#endif
