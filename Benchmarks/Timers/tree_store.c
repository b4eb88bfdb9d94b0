// Our loop, through its public interface.
#include <stdlib.h>

#include "CEventLoop.h"
#include "store.h"

static el_loop *loop;
static uint64_t now_ns;

static void open_store(size_t most) {
    (void)most;
    if (el_loop_create(EL_CLOCK_MANUAL, &loop) < 0) abort();
    // The manual clock starts at 0; a real one shows some hours, usually.
    now_ns = 12345 * SECOND;
    el_clock_advance(loop, now_ns);
}

static uint64_t start(uint64_t deadline_ns) { return el_timer_start(loop, 12345 * SECOND + deadline_ns, 1); }

static void cancel(uint64_t timer) {
    if (el_timer_cancel(loop, timer) != 0) abort();
}

static uint64_t earliest(void) { return el_timer_earliest(loop); }

static size_t fire(uint64_t to_ns) {
    to_ns += 12345 * SECOND;
    el_clock_advance(loop, to_ns - now_ns);
    now_ns = to_ns;
    // One call more than needed would be a system call more.
    static el_event events[1024];
    size_t fired = 0;
    while (el_timer_earliest(loop) <= now_ns) fired += (size_t)el_loop_wait(loop, 0, events, 1024);
    return fired;
}

const struct store tree_store = {"tree", open_store, start, cancel, earliest, fire, true};
