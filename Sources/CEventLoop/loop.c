#include "loop.h"

#include <errno.h>
#include <stdlib.h>

// MARK: - Life

int el_loop_create(el_clock clock, el_loop **out) {
    *out = NULL;
    if (clock > EL_CLOCK_MANUAL) return -EINVAL;
    el_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL) return -ENOMEM;
    timers_open(&loop->timers);
    signals_open(&loop->signals);
    int result = poller_open(&loop->poller);
    if (result < 0) goto no_poller;
    result = clock_open(&loop->clock, clock);
    if (result < 0) goto no_clock;
    result = wake_open(&loop->wake);
    if (result < 0) goto no_wake;
    result = poller_add(&loop->poller, loop->clock.timer_fd, EL_READ, EL_EDGE, 0, POLLER_ALARM);
    if (result == 0) {
        result = poller_add(&loop->poller, loop->wake.event_fd, EL_READ, EL_LEVEL, 0, POLLER_DOORBELL);
    }
    if (result < 0) goto no_registration;
    *out = loop;
    return 0;

no_registration:
    wake_close(&loop->wake);
no_wake:
    clock_close(&loop->clock);
no_clock:
    poller_close(&loop->poller);
no_poller:
    free(loop);
    return result;
}

void el_loop_destroy(el_loop *loop) {
    if (loop == NULL) return;
    signals_close(&loop->signals);
    children_close(&loop->children);
    wake_close(&loop->wake);
    clock_close(&loop->clock);
    poller_close(&loop->poller);
    timers_close(&loop->timers);
    free(loop);
}

int el_loop_fork(el_loop *loop) {
    int result = clock_fork(&loop->clock);
    if (result == 0) result = wake_fork(&loop->wake);
    if (result == 0) result = signals_fork(&loop->signals);
    // Last: it watches what the others have made.
    if (result == 0) result = poller_fork(&loop->poller);
    return result;
}

// MARK: - A turn

/// Hands out due timers while there is room, and notes whether some had to stay.
static int take_timers(el_loop *loop, el_event *out, int room) {
    loop->owes_timers = false;
    if (timers_earliest(&loop->timers) == EL_NEVER) return 0;
    uint64_t now_ns = clock_now(&loop->clock);
    int count = 0;
    while (count < room) {
        uint64_t token, deadline_ns = timers_earliest(&loop->timers);
        if (!timers_pop_due(&loop->timers, now_ns, &token)) break;
        uint64_t late_ns = now_ns - deadline_ns;
        uint32_t late = late_ns < UINT32_MAX ? (uint32_t)late_ns : UINT32_MAX;
        out[count++] = (el_event){token, EL_EVENT_TIMER, late};
    }
    loop->owes_timers = count == room && timers_earliest(&loop->timers) <= now_ns;
    return count;
}

static int take_signals(el_loop *loop, el_event *out, int room) {
    int count = 0;
    while (count < room) {
        uint64_t token;
        int number = signals_take(&loop->signals, &token);
        if (number <= 0) break;
        out[count++] = (el_event){token, EL_EVENT_SIGNAL, (uint32_t)number};
    }
    return count;
}

/// Takes the status of a child whose pidfd is readable, and ends its watch.
static int take_child(el_loop *loop, el_child child, el_event *out) {
    uint64_t token;
    uint32_t status;
    if (!children_reap(&loop->children, child, &token, &status)) return 0;
    el_child_remove(loop, child);
    *out = (el_event){token, EL_EVENT_CHILD, status};
    return 1;
}

/// Waits for descriptors once. The loop's own are dealt with here; each of them took one of the
/// `room` places in the kernel's batch, so what it stands for always finds a place in `out`. `again`: none
/// of a full batch was for the caller, so another look is needed to say that nothing is ready.
static int take_descriptors(el_loop *loop, el_event *out, int room, bool block, bool *again) {
    *again = false;
    int batch = poller_wait(&loop->poller, room, block);
    if (batch < 0) return batch == -EINTR ? 0 : batch;
    int count = 0;
    bool has_signals = false;
    for (int i = 0; i < batch; i++) {
        struct readiness readiness;
        if (!poller_take(&loop->poller, i, &readiness)) continue;
        switch (readiness.owner) {
        case POLLER_CALLER: out[count++] = (el_event){readiness.token, EL_EVENT_FD, readiness.ready}; break;
        case POLLER_ALARM: clock_alarm_rang(&loop->clock); break;
        case POLLER_DOORBELL:
            wake_clear(&loop->wake);
            out[count++] = (el_event){0, EL_EVENT_WAKE, 0};
            break;
        case POLLER_SIGNALS: has_signals = true; break;
        case POLLER_CHILD: count += take_child(loop, readiness.token, out + count); break;
        }
    }
    bool is_full = poller_finish(&loop->poller);
    // Signals last: one notice may stand for many, and what finds no place is reported again.
    if (has_signals) count += take_signals(loop, out + count, room - count);
    *again = is_full && count == 0;
    return count;
}

int el_loop_wait(el_loop *loop, uint64_t deadline_ns, el_event *out, int capacity) {
    if (capacity < 1) return -EINVAL;
    int count = 0;
    if (loop->owes_timers) {
        clock_forget(&loop->clock);
        count = take_timers(loop, out, capacity);
    }
    if (count == capacity) {
        // What is still due waits until descriptors had their turn.
        loop->owes_timers = false;
        return count;
    }
    for (;;) {
        // Exact, not a lower bound: one sleep is one wake-up.
        uint64_t timer_ns = timers_earliest(&loop->timers);
        uint64_t until_ns = timer_ns < deadline_ns ? timer_ns : deadline_ns;
        bool block =
            count == 0 && until_ns != 0 && (until_ns == EL_NEVER || until_ns > clock_now(&loop->clock));
        if (block && until_ns != EL_NEVER) {
            int result = clock_arm(&loop->clock, until_ns);
            if (result < 0) return result;
        }
        bool again;
        int found = take_descriptors(loop, out + count, capacity - count, block, &again);
        clock_forget(&loop->clock);
        if (found < 0) return count > 0 ? count : found;
        count += found;
        count += take_timers(loop, out + count, capacity - count);
        if (count > 0) return count;
        if (again) continue;
        if (!block) return 0;
        // A signal handler ran, the alarm rang for a cancelled timer, or the caller's deadline has come.
        if (deadline_ns != EL_NEVER && deadline_ns <= clock_now(&loop->clock)) return 0;
    }
}

int el_loop_wake(el_loop *loop) { return wake_ring(&loop->wake); }

int el_loop_fd(el_loop *loop) { return poller_outside(&loop->poller); }

int el_loop_arm(el_loop *loop) {
    if (poller_is_ready(&loop->poller)) return 1;
    uint64_t timer_ns = timers_earliest(&loop->timers);
    if (timer_ns == EL_NEVER) return 0;
    clock_forget(&loop->clock);
    if (timer_ns <= clock_now(&loop->clock)) return 1;
    return clock_arm(&loop->clock, timer_ns);
}

uint64_t el_loop_now(el_loop *loop) { return clock_now(&loop->clock); }

uint64_t el_loop_update_now(el_loop *loop) {
    clock_forget(&loop->clock);
    return clock_now(&loop->clock);
}

void el_loop_check(const el_loop *loop) {
    poller_check(&loop->poller);
    timers_check(&loop->timers);
    children_check(&loop->children);
}

// MARK: - Doors to the rooms

int el_fd_add(el_loop *loop, int fd, el_interest interest, el_mode mode, uint64_t token) {
    return poller_add(&loop->poller, fd, interest, mode, token, POLLER_CALLER);
}

int el_fd_modify(el_loop *loop, int fd, el_interest interest, el_mode mode, uint64_t token) {
    return poller_modify(&loop->poller, fd, interest, mode, token);
}

int el_fd_remove(el_loop *loop, int fd) { return poller_remove(&loop->poller, fd, POLLER_CALLER); }

el_timer el_timer_start(el_loop *loop, uint64_t deadline_ns, uint64_t token) {
    return timers_start(&loop->timers, deadline_ns, token);
}

int el_timer_cancel(el_loop *loop, el_timer timer) { return timers_cancel(&loop->timers, timer); }

uint64_t el_timer_earliest(el_loop *loop) { return timers_earliest(&loop->timers); }

uint64_t el_timer_count(const el_loop *loop) { return timers_count(&loop->timers); }

int el_clock_advance(el_loop *loop, uint64_t duration_ns) { return clock_advance(&loop->clock, duration_ns); }

int el_signal_add(el_loop *loop, int signal, uint64_t token) {
    bool is_first = loop->signals.signal_fd < 0;
    int result = signals_add(&loop->signals, signal, token);
    if (result < 0 || !is_first) return result;
    result = poller_add(&loop->poller, loop->signals.signal_fd, EL_READ, EL_LEVEL, 0, POLLER_SIGNALS);
    // All of it: a signalfd that stayed, unwatched, would pass for a watched one at the next call.
    if (result < 0) signals_close(&loop->signals);
    return result;
}

int el_signal_remove(el_loop *loop, int signal) { return signals_remove(&loop->signals, signal); }

int el_child_add(el_loop *loop, int pid, uint64_t token, el_child *out) {
    *out = 0;
    el_child child;
    int result = children_add(&loop->children, pid, token, &child);
    if (result < 0) return result;
    int pidfd = children_descriptor(&loop->children, child);
    result = poller_add(&loop->poller, pidfd, EL_READ, EL_EDGE, child, POLLER_CHILD);
    if (result < 0) {
        children_remove(&loop->children, child);
        return result;
    }
    *out = child;
    return 0;
}

int el_child_remove(el_loop *loop, el_child child) {
    int pidfd = children_descriptor(&loop->children, child);
    if (pidfd < 0) return pidfd;
    poller_remove(&loop->poller, pidfd, POLLER_CHILD);
    return children_remove(&loop->children, child);
}

int el_child_signal(el_loop *loop, el_child child, int signal) {
    return children_signal(&loop->children, child, signal);
}
