/// The time, and the alarm that ends a wait when it has come.
#ifndef EL_CLOCK_H
#define EL_CLOCK_H

#include "CEventLoop.h"
#include "visibility.h"

struct clock {
    uint64_t now_ns;
    uint64_t armed_ns; // what the timerfd is set to; EL_NEVER: nothing
    int timer_fd;
    bool is_manual;
    bool is_fresh; // now_ns was read since the last wait
};

EL_ROOM int clock_open(struct clock *clock, el_clock kind);
EL_ROOM void clock_close(struct clock *clock);
/// In a forked child: a timerfd of its own, under the same number, which nobody watches yet.
EL_ROOM int clock_fork(struct clock *clock);

/// The time of this turn.
EL_ROOM uint64_t clock_now(struct clock *clock);
/// A wait has ended: the next clock_now reads anew.
EL_ROOM void clock_forget(struct clock *clock);
EL_ROOM int clock_advance(struct clock *clock, uint64_t duration_ns);

/// Sets the timerfd, if it is not set to that instant already. A manual clock has no alarm.
EL_ROOM int clock_arm(struct clock *clock, uint64_t deadline_ns);
/// The timerfd has expired, and so is no longer set.
EL_ROOM void clock_alarm_rang(struct clock *clock);

#endif
