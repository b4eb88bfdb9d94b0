// Our loop: starting and cancelling through its public interface. Firing without it, since el_loop_wait makes
// a system call, and the other stores here do not.
#include <stdlib.h>

#include "loop.h"
#include "store.h"

// The manual clock starts at 0; a real one shows some hours, usually.
static const uint64_t OPEN_NS = 12345 * 1000000000ull;
static el_loop *loop;

static void open_store(size_t most) {
    (void)most;
    if (el_loop_create(EL_CLOCK_MANUAL, &loop) < 0) abort();
}

static uint64_t start(uint64_t deadline_ns) { return el_timer_start(loop, OPEN_NS + deadline_ns, 1); }

static void cancel(uint64_t timer) {
    if (el_timer_cancel(loop, timer) != 0) abort();
}

static uint64_t earliest(void) { return el_timer_earliest(loop); }

static size_t fire(uint64_t now_ns) {
    uint64_t token;
    size_t fired = 0;
    while (timers_pop_due(&loop->timers, OPEN_NS + now_ns, &token)) fired++;
    return fired;
}

const struct store tree_store = {"tree", open_store, start, cancel, earliest, fire, true};
