#define _GNU_SOURCE

#include "clock.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "renew.h"

// Why a timerfd and not epoll_wait's timeout: that one counts milliseconds and lets the kernel add the
// thread's timer slack (50 µs by default); a timerfd is exact to the nanosecond and knows no slack.
//
// It is set to absolute time: a deadline that passes between reading the clock and setting the alarm
// fires at once, where a relative value would have become 0 (which disarms) or negative (EINVAL).
// It is registered edge-triggered, so nobody has to read it: setting it anew clears its count.

static const uint64_t NS_PER_SECOND = 1000000000;

int clock_open(struct clock *clock, el_clock kind) {
    *clock = (struct clock){.armed_ns = EL_NEVER, .is_manual = kind == EL_CLOCK_MANUAL};
    clock->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    return clock->timer_fd < 0 ? -errno : 0;
}

int clock_fork(struct clock *clock) {
    int result = renew(clock->timer_fd, timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    if (result == 0) clock->armed_ns = EL_NEVER;
    return result;
}

void clock_close(struct clock *clock) { close(clock->timer_fd); }

uint64_t clock_now(struct clock *clock) {
    if (!clock->is_fresh && !clock->is_manual) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now); // cannot fail with this clock and address
        clock->now_ns = (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
        clock->is_fresh = true;
    }
    return clock->now_ns;
}

void clock_forget(struct clock *clock) { clock->is_fresh = false; }

int clock_advance(struct clock *clock, uint64_t duration_ns) {
    if (!clock->is_manual) return -EINVAL;
    uint64_t room = EL_NEVER - 1 - clock->now_ns;
    clock->now_ns += duration_ns < room ? duration_ns : room;
    return 0;
}

int clock_arm(struct clock *clock, uint64_t deadline_ns) {
    if (clock->is_manual || clock->armed_ns == deadline_ns) return 0;
    // 0 would disarm; CLOCK_MONOTONIC has passed 1 long ago.
    uint64_t alarm_ns = deadline_ns == 0 ? 1 : deadline_ns;
    struct itimerspec alarm = {
        .it_value.tv_sec = (time_t)(alarm_ns / NS_PER_SECOND),
        .it_value.tv_nsec = (long)(alarm_ns % NS_PER_SECOND),
    };
    if (timerfd_settime(clock->timer_fd, TFD_TIMER_ABSTIME, &alarm, NULL) < 0) return -errno;
    clock->armed_ns = deadline_ns;
    return 0;
}

void clock_alarm_rang(struct clock *clock) { clock->armed_ns = EL_NEVER; }
