/// Numbers in order: which of many deadlines comes first. Knows no clock.
#ifndef EL_TIMERS_H
#define EL_TIMERS_H

#include "CEventLoop.h"
#include "tree.h"
#include "visibility.h"

struct timers {
    struct tree tree;
    uint32_t last_generation;
};

EL_ROOM void timers_open(struct timers *timers);
EL_ROOM void timers_close(struct timers *timers);

/// Returns the new timer's id, or 0 when memory ran out.
EL_ROOM el_timer timers_start(struct timers *timers, uint64_t deadline_ns, uint64_t token);
EL_ROOM int timers_cancel(struct timers *timers, el_timer timer);

EL_ROOM uint64_t timers_count(const struct timers *timers);
/// The earliest deadline: exactly, so that an alarm set to it never rings for nothing.
EL_ROOM uint64_t timers_earliest(struct timers *timers);
/// Takes out the earliest timer if it is due at `now_ns`.
EL_ROOM bool timers_pop_due(struct timers *timers, uint64_t now_ns, uint64_t *token);

EL_ROOM void timers_check(const struct timers *timers);

#endif
