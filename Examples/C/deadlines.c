/// Many deadlines: a hundred thousand requests with a timeout each, as a busy server has them. Most are
/// answered in time, which cancels the timer; the others run out, in the order of their deadlines.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <CEventLoop.h>

enum { REQUESTS = 100000, BATCH = 256 };

/// A timeout between 1 and 100 milliseconds, scattered, the same in each run.
static uint64_t timeout_ns(uint64_t request) { return (1 + request * 2654435761u % 100) * 1000000; }

static bool is_answered(uint64_t request) { return request % 10 != 0; }

int main(void) {
    el_loop *loop;
    if (el_loop_create(EL_CLOCK_MONOTONIC, &loop) < 0) return 1;
    el_timer *timers = calloc(REQUESTS, sizeof *timers);
    if (timers == NULL) return 1;

    uint64_t start_ns = el_loop_now(loop);
    for (uint64_t request = 0; request < REQUESTS; request++) {
        timers[request] = el_timer_start(loop, start_ns + timeout_ns(request), request);
        if (timers[request] == 0) return 1; // out of memory
    }
    printf("%" PRIu64 " timers started\n", el_timer_count(loop));

    // An answer came: its timeout is not to happen. Each id is good once, so a late cancel harms nobody.
    for (uint64_t request = 0; request < REQUESTS; request++) {
        if (is_answered(request) && el_timer_cancel(loop, timers[request]) != 0) return 1;
    }
    printf("%" PRIu64 " left after the answers\n", el_timer_count(loop));

    uint64_t fired = 0, mistakes = 0, previous_ns = 0;
    while (el_timer_count(loop) > 0) {
        el_event events[BATCH];
        int count = el_loop_wait(loop, EL_NEVER, events, BATCH);
        if (count < 0) return 1;
        uint64_t now_ns = el_loop_now(loop);
        for (int i = 0; i < count; i++) {
            uint64_t request = events[i].token, deadline_ns = start_ns + timeout_ns(request);
            bool is_early = deadline_ns > now_ns, is_out_of_order = deadline_ns < previous_ns;
            if (is_early || is_out_of_order || is_answered(request)) mistakes++;
            // What fired is over: its id names nothing any more.
            if (el_timer_cancel(loop, timers[request]) == 0) mistakes++;
            previous_ns = deadline_ns;
            fired++;
        }
    }
    printf("%" PRIu64 " ran out, in order, %" PRIu64 " mistakes\n", fired, mistakes);
    free(timers);
    el_loop_destroy(loop);
    return fired == REQUESTS / 10 && mistakes == 0 ? 0 : 1;
}
