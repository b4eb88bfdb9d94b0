// The two clocks: one that is read once a turn, and one that stands still until it is moved.
#include "support.h"

CASE(manual_clock_starts_at_zero_and_moves_when_told) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    EXPECT(el_loop_now(loop) == 0);
    EXPECT(el_clock_advance(loop, 5) == 0);
    EXPECT(el_clock_advance(loop, 0) == 0);
    EXPECT(el_loop_now(loop) == 5 && el_loop_update_now(loop) == 5);
    el_event event;
    EXPECT(poll_loop(loop, &event, 1) == 0);
    EXPECT(el_loop_now(loop) == 5);
    el_loop_destroy(loop);
}

CASE(manual_clock_stops_before_never) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    EXPECT(el_clock_advance(loop, 100) == 0);
    EXPECT(el_clock_advance(loop, EL_NEVER) == 0);
    EXPECT(el_loop_now(loop) == EL_NEVER - 1);
    EXPECT(el_clock_advance(loop, 1) == 0);
    EXPECT(el_loop_now(loop) == EL_NEVER - 1);
    el_loop_destroy(loop);
}

CASE(manual_clock_reaches_the_deadline_of_a_wait) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    EXPECT(el_clock_advance(loop, 100) == 0);
    el_event event;
    EXPECT(el_loop_wait(loop, 100, &event, 1) == 0);
    EXPECT(el_loop_wait(loop, 99, &event, 1) == 0);
    el_loop_destroy(loop);
}

CASE(monotonic_clock_cannot_be_advanced) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    EXPECT(el_clock_advance(loop, 1) == -EINVAL);
    el_loop_destroy(loop);
}

CASE(monotonic_clock_stands_between_two_waits) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    uint64_t now_ns = el_loop_now(loop);
    EXPECT(now_ns > 0);
    uint64_t updated_ns = el_loop_update_now(loop);
    while (updated_ns == now_ns) updated_ns = el_loop_update_now(loop);
    EXPECT(updated_ns > now_ns);
    EXPECT(el_loop_now(loop) == updated_ns);
    EXPECT(el_loop_now(loop) == updated_ns);
    el_event event;
    EXPECT(poll_loop(loop, &event, 1) == 0);
    EXPECT(el_loop_now(loop) >= updated_ns);
    el_loop_destroy(loop);
}
