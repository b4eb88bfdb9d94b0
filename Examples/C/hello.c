/// Hello, timer: one loop, one deadline, one event.
#include <inttypes.h>
#include <stdio.h>

#include <CEventLoop.h>

int main(void) {
    el_loop *loop;
    if (el_loop_create(EL_CLOCK_MONOTONIC, &loop) < 0) return 1;
    el_timer_start(loop, el_loop_now(loop) + 50000000, 42); // 50 ms from now
    el_event events[64];
    int count = el_loop_wait(loop, EL_NEVER, events, 64);
    for (int i = 0; i < count; i++) {
        if (events[i].kind == EL_EVENT_TIMER) printf("timer %" PRIu64 " is due\n", events[i].token);
    }
    el_loop_destroy(loop);
    return count == 1 ? 0 : 1;
}
