/// Virtual time: a loop whose clock stands still until it is told to move, so that a minute takes no time
/// and a test of timers always gives the same result.
#include <stdio.h>

#include <CEventLoop.h>

static const uint64_t SECOND = 1000000000;

int main(void) {
    el_loop *loop;
    if (el_loop_create(EL_CLOCK_MANUAL, &loop) < 0) return 1;
    el_timer_start(loop, 60 * SECOND, 1);

    el_event event;
    el_clock_advance(loop, 59 * SECOND);
    int early = el_loop_wait(loop, 0, &event, 1); // 0: only look
    el_clock_advance(loop, 1 * SECOND);
    int due = el_loop_wait(loop, 0, &event, 1);

    printf("after 59 seconds: %d event(s); after 60: %d\n", early, due);
    el_loop_destroy(loop);
    return early == 0 && due == 1 ? 0 : 1;
}
