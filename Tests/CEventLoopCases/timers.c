// Deadlines: in order, never early, cancelled for good, and their memory given back.
#define _GNU_SOURCE

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support.h"

static bool fires_only(el_loop *loop, uint64_t token) {
    el_event events[2];
    return poll_loop(loop, events, 2) == 1 && events[0].kind == EL_EVENT_TIMER && events[0].token == token;
}

CASE(timer_is_due_at_its_deadline) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    EXPECT(el_timer_start(loop, 100, 1) != 0);
    EXPECT(el_clock_advance(loop, 99) == 0);
    EXPECT(is_quiet(loop));
    EXPECT(el_clock_advance(loop, 1) == 0);
    EXPECT(fires_only(loop, 1));
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
}

CASE(timer_in_the_past_is_due_at_once) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    EXPECT(el_clock_advance(loop, 1000) == 0);
    el_timer_start(loop, 0, 1);
    EXPECT(fires_only(loop, 1));
    el_timer_start(loop, 999, 2);
    EXPECT(fires_only(loop, 2));
    el_timer_start(loop, 1000, 3);
    EXPECT(fires_only(loop, 3));
    el_loop_destroy(loop);
}

CASE(timer_in_the_past_is_due_at_once_on_the_real_clock) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    const uint64_t deadlines_ns[] = {0, 1, 1000, SECOND};
    el_event event;
    for (uint64_t i = 0; i < 4; i++) {
        el_timer_start(loop, deadlines_ns[i], i);
        EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1 && event.token == i);
    }
    el_loop_destroy(loop);
}

CASE(timer_at_never_is_never_due) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    el_timer timer = el_timer_start(loop, EL_NEVER, 1);
    EXPECT(timer != 0);
    EXPECT(el_timer_count(loop) == 1);
    EXPECT(el_timer_earliest(loop) == EL_NEVER);
    EXPECT(el_clock_advance(loop, EL_NEVER) == 0);
    EXPECT(is_quiet(loop));
    EXPECT(el_timer_cancel(loop, timer) == 0);
    el_loop_destroy(loop);
}

CASE(timer_just_before_never_is_due_at_the_clocks_end) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    el_timer_start(loop, EL_NEVER - 1, 1);
    EXPECT(el_clock_advance(loop, EL_NEVER - 2) == 0);
    EXPECT(is_quiet(loop));
    EXPECT(el_clock_advance(loop, 1) == 0);
    EXPECT(fires_only(loop, 1));
    el_loop_destroy(loop);
}

CASE(timers_with_equal_deadlines_fire_in_start_order) {
    enum { TIMERS = 1000 };
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    static el_event events[TIMERS];
    for (uint64_t i = 0; i < TIMERS; i++) el_timer_start(loop, 10 + i % 2, i);
    EXPECT(el_clock_advance(loop, 11) == 0);
    EXPECT(poll_loop(loop, events, TIMERS) == TIMERS);
    for (uint64_t i = 0; i < TIMERS / 2; i++) {
        EXPECT(events[i].token == 2 * i);
        EXPECT(events[TIMERS / 2 + i].token == 2 * i + 1);
    }
    el_loop_destroy(loop);
}

CASE(timer_count_and_earliest_follow_start_cancel_and_firing) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    EXPECT(el_timer_count(loop) == 0 && el_timer_earliest(loop) == EL_NEVER);
    el_timer_start(loop, 30, 1);
    el_timer early = el_timer_start(loop, 10, 2);
    el_timer_start(loop, 20, 3);
    EXPECT(el_timer_count(loop) == 3 && el_timer_earliest(loop) == 10);
    EXPECT(el_timer_cancel(loop, early) == 0);
    EXPECT(el_timer_count(loop) == 2 && el_timer_earliest(loop) == 20);
    EXPECT(el_clock_advance(loop, 20) == 0);
    EXPECT(fires_only(loop, 3));
    EXPECT(el_timer_count(loop) == 1 && el_timer_earliest(loop) == 30);
    el_loop_destroy(loop);
}

CASE(timer_started_while_events_are_handled_is_due_in_the_next_wait) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int fd = make_ready();
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_LEVEL, 9) == 0);
    el_timer_start(loop, 0, 1);
    el_event events[MANY];
    for (int i = 0; i < 5; i++) {
        // One that always starts itself anew starves nobody.
        EXPECT(poll_loop(loop, events, MANY) == 2);
        EXPECT(events[0].token == 9 && events[1].token == 1);
        el_timer_start(loop, 0, 1);
    }
    el_loop_destroy(loop);
    close(fd);
}

// MARK: - Cancelling

CASE(cancelled_timer_does_not_fire) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    el_timer timer = el_timer_start(loop, 10, 1);
    el_timer_start(loop, 10, 2);
    EXPECT(el_timer_cancel(loop, timer) == 0);
    EXPECT(el_clock_advance(loop, 10) == 0);
    EXPECT(fires_only(loop, 2));
    el_loop_destroy(loop);
}

CASE(cancelling_twice_or_after_firing_is_enoent) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    el_timer cancelled = el_timer_start(loop, 10, 1), fired = el_timer_start(loop, 10, 2);
    EXPECT(el_timer_cancel(loop, cancelled) == 0);
    EXPECT(el_timer_cancel(loop, cancelled) == -ENOENT);
    EXPECT(el_clock_advance(loop, 10) == 0);
    EXPECT(fires_only(loop, 2));
    EXPECT(el_timer_cancel(loop, fired) == -ENOENT);
    el_loop_destroy(loop);
}

CASE(cancelling_a_due_timer_before_the_wait_keeps_it_from_firing) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    el_timer first = el_timer_start(loop, 10, 1);
    el_timer_start(loop, 11, 2);
    el_timer third = el_timer_start(loop, 12, 3);
    EXPECT(el_clock_advance(loop, 20) == 0);
    EXPECT(el_timer_cancel(loop, first) == 0);
    EXPECT(el_timer_cancel(loop, third) == 0);
    EXPECT(fires_only(loop, 2));
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
}

CASE(cancelling_a_timer_left_over_for_the_next_wait_works) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    el_timer timers[3];
    for (uint64_t i = 0; i < 3; i++) timers[i] = el_timer_start(loop, i, i);
    EXPECT(el_clock_advance(loop, 5) == 0);
    el_event event;
    EXPECT(poll_loop(loop, &event, 1) == 1 && event.token == 0);
    EXPECT(el_timer_cancel(loop, timers[1]) == 0);
    EXPECT(poll_loop(loop, &event, 1) == 1 && event.token == 2);
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
}

CASE(cancelling_itself_or_another_of_its_batch_is_enoent_and_harms_nobody) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    el_timer timers[3];
    for (uint64_t i = 0; i < 3; i++) timers[i] = el_timer_start(loop, 10, i);
    EXPECT(el_clock_advance(loop, 10) == 0);
    el_event events[MANY];
    EXPECT(poll_loop(loop, events, MANY) == 3);
    el_timer next = el_timer_start(loop, 20, 9); // has the slot of one of them
    for (int i = 0; i < 3; i++) {
        // All that were handed out together are over: their events are in the caller's hands.
        for (int j = 0; j < 3; j++) EXPECT(el_timer_cancel(loop, timers[j]) == -ENOENT);
    }
    EXPECT(el_timer_count(loop) == 1);
    el_loop_check(loop);
    EXPECT(el_timer_cancel(loop, next) == 0);
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
}

CASE(stale_id_never_hits_the_slots_next_timer) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    el_timer stale = el_timer_start(loop, 10, 0);
    EXPECT(el_timer_cancel(loop, stale) == 0);
    for (uint64_t i = 1; i < 1000; i++) {
        el_timer timer = el_timer_start(loop, 10, i);
        EXPECT((uint32_t)timer == (uint32_t)stale); // the same slot …
        EXPECT(timer != stale);                     // … under another name
        EXPECT(el_timer_cancel(loop, stale) == -ENOENT);
        EXPECT(el_timer_cancel(loop, timer) == 0);
        stale = timer;
    }
    el_loop_destroy(loop);
}

CASE(ids_that_were_never_given_out_are_enoent) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    const el_timer garbage[] = {0, 1, 255, 256, 1ull << 32, UINT64_MAX, UINT32_MAX, 0xdeadbeefdeadbeef};
    for (int round = 0; round < 2; round++) { // without any timer, and with one
        for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
            if (round == 1 && garbage[i] == 1ull << 32) continue; // that is the one's id
            EXPECT(el_timer_cancel(loop, garbage[i]) == -ENOENT);
        }
        el_timer_start(loop, 10, 1);
    }
    EXPECT(el_timer_count(loop) == 2);
    el_loop_check(loop);
    el_loop_destroy(loop);
}

// MARK: - Many

static size_t bytes_in_use(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

CASE(million_timers_cancelled_give_their_memory_back) {
    enum { TIMERS = 1000000 };
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    el_timer *timers = malloc(TIMERS * sizeof *timers);
    uint64_t random = 42;
    size_t before = bytes_in_use();
    for (int i = 0; i < TIMERS; i++) timers[i] = el_timer_start(loop, next_random(&random) >> 1, 1);
    size_t grown = bytes_in_use() - before;
    EXPECT(el_timer_count(loop) == TIMERS);
    for (int i = 0; i < TIMERS; i++) EXPECT(el_timer_cancel(loop, timers[i]) == 0);
    size_t kept = bytes_in_use() - before;
    EXPECT(el_timer_count(loop) == 0);
    el_loop_check(loop);
    free(timers);
    el_loop_destroy(loop);
    if (grown == 0) SKIP("this allocator does not say how much is in use");
    EXPECT(grown > (size_t)TIMERS * 32);
    EXPECT(kept < grown / 100);
}

CASE(million_timers_fired_give_their_memory_back) {
    enum { TIMERS = 1000000 };
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    uint64_t random = 43;
    size_t before = bytes_in_use();
    for (int i = 0; i < TIMERS; i++) el_timer_start(loop, next_random(&random) % SECOND, 1);
    size_t grown = bytes_in_use() - before;
    EXPECT(el_clock_advance(loop, SECOND) == 0);
    static el_event events[1000];
    int count, fired = 0;
    while ((count = poll_loop(loop, events, 1000)) > 0) fired += count;
    EXPECT(fired == TIMERS);
    size_t kept = bytes_in_use() - before;
    el_loop_destroy(loop);
    if (grown == 0) SKIP("this allocator does not say how much is in use");
    EXPECT(kept < grown / 100);
}

// MARK: - Far and near, and many at one time

CASE(timers_at_all_distances_are_due_at_their_deadlines) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    for (uint64_t bit = 64; bit-- > 0;) EXPECT(el_timer_start(loop, 1ull << bit, bit) != 0);
    EXPECT(el_timer_start(loop, EL_NEVER - 1, 64) != 0);
    el_loop_check(loop);
    uint64_t now_ns = 0;
    for (uint64_t i = 0; i <= 64; i++) {
        uint64_t deadline_ns = i < 64 ? 1ull << i : EL_NEVER - 1;
        EXPECT(el_timer_earliest(loop) == deadline_ns);
        EXPECT(el_clock_advance(loop, deadline_ns - 1 - now_ns) == 0);
        EXPECT(is_quiet(loop));
        EXPECT(el_clock_advance(loop, 1) == 0);
        EXPECT(fires_only(loop, i));
        now_ns = deadline_ns;
        el_loop_check(loop);
    }
    el_loop_destroy(loop);
}

CASE(equal_deadlines_keep_start_order_while_others_come_and_go) {
    enum { TIMERS = 5000, DEADLINES = 5 };
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    static const uint64_t deadlines_ns[DEADLINES] = {999, 1000, 1ull << 30, (1ull << 30) + 1, 1ull << 62};
    static el_timer others[TIMERS];
    uint64_t random = 45;
    for (uint64_t i = 0; i < TIMERS; i++) {
        el_timer_start(loop, deadlines_ns[i % DEADLINES], i);
        // Others far and near, and questions, so that what holds the equal ones is rebuilt meanwhile.
        others[i] = el_timer_start(loop, next_random(&random) >> next_random(&random) % 64, TIMERS);
        if (i % 7 == 0) el_timer_earliest(loop);
        if (i % 3 == 0) EXPECT(el_timer_cancel(loop, others[i / 2]) == 0 || i / 2 % 3 == 0);
        if (i % 500 == 0) el_loop_check(loop);
    }
    for (int i = 0; i < TIMERS; i++) el_timer_cancel(loop, others[i]);
    el_loop_check(loop);
    EXPECT(el_timer_count(loop) == TIMERS);
    EXPECT(el_clock_advance(loop, EL_NEVER) == 0);
    static el_event events[TIMERS];
    EXPECT(poll_loop(loop, events, TIMERS) == TIMERS);
    for (uint64_t i = 0; i < TIMERS; i++) {
        EXPECT(events[i].token == i % (TIMERS / DEADLINES) * DEADLINES + i / (TIMERS / DEADLINES));
    }
    el_loop_destroy(loop);
}

CASE(timer_started_for_a_deadline_that_is_firing_comes_after_its_equals) {
    enum { TIMERS = 100 };
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    for (uint64_t i = 0; i < TIMERS; i++) el_timer_start(loop, 1000, i);
    el_timer_start(loop, 1001, UINT64_MAX);
    EXPECT(el_clock_advance(loop, 2000) == 0);
    el_event event;
    for (uint64_t i = 0; i < 3 * TIMERS; i++) {
        EXPECT(poll_loop(loop, &event, 1) == 1 && event.token == i);
        if (i < 2 * TIMERS) el_timer_start(loop, 1000, i + TIMERS);
        el_loop_check(loop);
    }
    EXPECT(fires_only(loop, UINT64_MAX));
    el_loop_destroy(loop);
}

CASE(earliest_is_exact_while_the_earliest_of_many_is_cancelled) {
    enum { TIMERS = 20000 };
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    static el_timer timers[TIMERS];
    // Each deadline once, in an order that jumps about.
    for (uint64_t i = 0; i < TIMERS; i++) {
        uint64_t rank = i * 7919 % TIMERS;
        timers[rank] = el_timer_start(loop, 1000 * SECOND + rank * 12345, rank);
    }
    size_t before = bytes_in_use();
    for (uint64_t i = 0; i < TIMERS; i++) {
        EXPECT(el_timer_earliest(loop) == 1000 * SECOND + i * 12345);
        EXPECT(el_timer_cancel(loop, timers[i]) == 0);
        if (i % 1000 == 0) el_loop_check(loop);
    }
    EXPECT(el_timer_earliest(loop) == EL_NEVER);
    el_loop_check(loop);
    size_t after = bytes_in_use();
    el_loop_destroy(loop);
    if (before == 0) SKIP("this allocator does not say how much is in use");
    EXPECT(before - after > (size_t)TIMERS * 24);
}

// MARK: - Against a model: a sorted array

enum { MODEL_CAPACITY = 3000 };

struct model_timer {
    uint64_t deadline_ns, token;
    el_timer id;
};

struct model {
    el_loop *loop;
    uint64_t now_ns, random, last_token;
    uint64_t crowd_ns; // where many deadlines fall together
    el_timer last_dead;
    struct model_timer timers[MODEL_CAPACITY];
    size_t count, capacity;
};

static uint64_t below(struct model *model, uint64_t end) { return next_random(&model->random) % end; }

static uint64_t after_now(const struct model *model, uint64_t duration_ns) {
    uint64_t room = EL_NEVER - 1 - model->now_ns;
    return model->now_ns + (duration_ns < room ? duration_ns : room);
}

static void model_remove(struct model *model, size_t index) {
    model->last_dead = model->timers[index].id;
    model->count--;
    memmove(&model->timers[index], &model->timers[index + 1], (model->count - index) * sizeof *model->timers);
}

/// The past, nanoseconds ahead, any distance, the end of time, and a crowd at one place.
static uint64_t model_deadline(struct model *model) {
    switch (below(model, 8)) {
    case 0: return model->now_ns - below(model, 20) % (model->now_ns + 1);
    case 1: return after_now(model, next_random(&model->random) >> below(model, 64));
    case 2: return EL_NEVER - below(model, 3);
    case 3:
    case 4:
        if (below(model, 300) == 0) model->crowd_ns = after_now(model, below(model, 1 << 20));
        return model->crowd_ns + below(model, 3);
    default: return after_now(model, below(model, 500));
    }
}

static void model_start(struct model *model) {
    if (model->count == model->capacity) return;
    uint64_t deadline_ns = model_deadline(model);
    struct model_timer timer = {deadline_ns, ++model->last_token, 0};
    timer.id = el_timer_start(model->loop, deadline_ns, timer.token);
    EXPECT(timer.id != 0);
    size_t index = model->count++;
    for (; index > 0 && model->timers[index - 1].deadline_ns > deadline_ns; index--) {
        model->timers[index] = model->timers[index - 1];
    }
    model->timers[index] = timer;
}

static void model_cancel(struct model *model) {
    EXPECT(el_timer_cancel(model->loop, model->last_dead) == -ENOENT);
    if (model->count == 0) return;
    size_t index = below(model, 4) == 0 ? 0 : below(model, model->count);
    EXPECT(el_timer_cancel(model->loop, model->timers[index].id) == 0);
    model_remove(model, index);
}

/// Time passes, by steps or by leaps. What is due then may be cancelled, and joined by others, before it is
/// taken.
static void model_advance(struct model *model) {
    uint64_t duration_ns = below(model, 20);
    if (below(model, 20) == 0) duration_ns = next_random(&model->random) >> (1 + below(model, 63));
    if (below(model, 2) == 0 && model->now_ns > EL_NEVER / 2) duration_ns = 0; // time enough for the rest
    model->now_ns = after_now(model, duration_ns);
    EXPECT(el_clock_advance(model->loop, duration_ns) == 0);
    while (below(model, 3) == 0) model_cancel(model);
    el_event events[MANY];
    int capacity = 1 + (int)below(model, MANY), count;
    while ((count = poll_loop(model->loop, events, capacity)) > 0) {
        for (int i = 0; i < count; i++) {
            EXPECT(model->count > 0 && model->timers[0].deadline_ns <= model->now_ns);
            EXPECT(events[i].token == model->timers[0].token);
            model_remove(model, 0);
        }
        if (below(model, 4) == 0) model_start(model);
    }
    EXPECT(count == 0);
    EXPECT(model->count == 0 || model->timers[0].deadline_ns > model->now_ns || model->now_ns == EL_NEVER);
}

static void model_step(struct model *model, int step, uint64_t wave) {
    // The tide: the number of timers rises and falls.
    uint64_t starting = (uint64_t)step / wave % 2 == 0 ? 60 : 38;
    uint64_t choice = below(model, 1000);
    if (choice < 10 * starting) {
        model_start(model);
    } else if (choice < 998) {
        model_cancel(model);
    } else {
        model_advance(model);
    }
    if (has_failed()) return;
    EXPECT(el_timer_count(model->loop) == model->count);
    // Not each time: the question itself rearranges things.
    if (below(model, 3) != 0) return;
    EXPECT(el_timer_earliest(model->loop) == (model->count == 0 ? EL_NEVER : model->timers[0].deadline_ns));
}

static void run_model(size_t capacity, int steps, int steps_a_check) {
    static struct model model;
    const char *wish = getenv("EL_SEED");
    uint64_t seed = wish != NULL ? strtoull(wish, NULL, 0) : (uint64_t)time(NULL) << 20 | (uint64_t)getpid();
    // Leaps of the clock come to its end sooner or later, so there are several lives.
    for (int life = 0; life < 8 && !has_failed(); life++) {
        model = (struct model){.random = (seed + (uint64_t)life) | 1, .capacity = capacity};
        model.loop = make_loop(EL_CLOCK_MANUAL);
        for (int step = 0; step < steps / 8 && !has_failed(); step++) {
            model_step(&model, step, 10 * capacity);
            if (step % steps_a_check == 0) el_loop_check(model.loop);
            if (has_failed()) printf("in step %d; again with EL_SEED=%llu\n", step, (unsigned long long)seed);
        }
        el_loop_destroy(model.loop);
    }
}

CASE(timers_behave_like_a_sorted_list) { run_model(300, 100000, 1); }

CASE(timers_behave_like_a_sorted_list_in_crowds) { run_model(MODEL_CAPACITY, 400000, 100); }

// MARK: - The real clock

CASE(timer_is_never_early) {
    enum { TIMERS = 500 };
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    uint64_t random = 44, deadlines_ns[TIMERS];
    for (uint64_t i = 0; i < TIMERS; i++) {
        deadlines_ns[i] = el_loop_update_now(loop) + next_random(&random) % (50 * MILLISECOND);
        el_timer_start(loop, deadlines_ns[i], i);
    }
    uint64_t last_ns = 0;
    el_event events[MANY];
    for (int fired = 0; fired < TIMERS;) {
        int count = el_loop_wait(loop, EL_NEVER, events, MANY);
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        uint64_t now_ns = (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
        EXPECT(count > 0); // no wait ends for nothing
        for (int i = 0; i < count; i++) {
            uint64_t deadline_ns = deadlines_ns[events[i].token];
            EXPECT(deadline_ns <= el_loop_now(loop) && deadline_ns <= now_ns);
            EXPECT(deadline_ns >= last_ns);
            last_ns = deadline_ns;
        }
        fired += count;
    }
    el_loop_destroy(loop);
}

CASE(timer_says_how_late_it_is) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    el_event events[4];
    const uint64_t late_ns[] = {0, 1, UINT32_MAX - 1, UINT32_MAX, (uint64_t)UINT32_MAX + 1, 100 * SECOND};
    for (int i = 0; i < 6; i++) {
        el_timer_start(loop, el_loop_now(loop) + 7, 1);
        EXPECT(el_clock_advance(loop, 7 + late_ns[i]) == 0);
        EXPECT(poll_loop(loop, events, 4) == 1 && events[0].kind == EL_EVENT_TIMER);
        EXPECT(events[0].ready == (late_ns[i] < UINT32_MAX ? late_ns[i] : UINT32_MAX));
    }
    el_loop_destroy(loop);
}

CASE(timer_moved_to_earlier_and_to_later_fires_at_the_last) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    el_event event;
    uint64_t start_ns = el_loop_now(loop);
    el_timer timer = el_timer_start(loop, start_ns + 1000 * SECOND, 1);
    EXPECT(el_loop_arm(loop) == 0);
    EXPECT(el_timer_cancel(loop, timer) == 0);
    el_timer_start(loop, start_ns + 2 * MILLISECOND, 2); // earlier than what the alarm is set to
    EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1 && event.token == 2);
    timer = arm_soon(loop, 3);
    start_ns = el_loop_update_now(loop);
    EXPECT(el_timer_cancel(loop, timer) == 0);
    el_timer_start(loop, start_ns + 4 * MILLISECOND, 4);
    EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1 && event.token == 4);
    EXPECT(el_loop_now(loop) >= start_ns + 4 * MILLISECOND);
    el_loop_destroy(loop);
}
