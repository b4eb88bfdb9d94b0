// The doorbell: no ring is lost, many rings are one, and what was written before is seen.
#define _GNU_SOURCE

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "support.h"

static bool wakes(el_loop *loop, uint64_t deadline_ns) {
    el_event events[2];
    return el_loop_wait(loop, deadline_ns, events, 2) == 1 && events[0].kind == EL_EVENT_WAKE &&
           events[0].token == 0 && events[0].ready == 0;
}

CASE(wake_before_a_wait_ends_it) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    EXPECT(el_loop_wake(loop) == 0);
    EXPECT(wakes(loop, EL_NEVER));
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
}

CASE(wakes_before_a_wait_are_one_event) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 1000; i++) EXPECT(el_loop_wake(loop) == 0);
        EXPECT(wakes(loop, EL_NEVER));
        EXPECT(is_quiet(loop));
    }
    el_loop_destroy(loop);
}

CASE(wake_is_spent_so_later_deadlines_still_come) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    el_event event;
    for (int i = 0; i < 5; i++) {
        el_loop_wake(loop);
        EXPECT(wakes(loop, EL_NEVER));
        uint64_t deadline_ns = el_loop_now(loop) + MILLISECOND;
        EXPECT(el_loop_wait(loop, deadline_ns, &event, 1) == 0);
        EXPECT(el_loop_now(loop) >= deadline_ns);
    }
    el_loop_destroy(loop);
}

CASE(wake_keeps_its_place_beside_busy_descriptors) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int first = make_ready(), second = make_ready();
    EXPECT(el_fd_add(loop, first, EL_READ, EL_LEVEL, 1) == 0);
    EXPECT(el_fd_add(loop, second, EL_READ, EL_LEVEL, 2) == 0);
    el_loop_wake(loop);
    int woken = 0;
    el_event event;
    for (int i = 0; i < 9; i++) {
        EXPECT(poll_loop(loop, &event, 1) == 1);
        woken += event.kind == EL_EVENT_WAKE;
    }
    EXPECT(woken == 1);
    el_loop_destroy(loop);
    close(first);
    close(second);
}

CASE(wake_ends_a_wait_of_the_manual_clock_for_the_future) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    el_timer_start(loop, 1000, 1);
    el_loop_wake(loop);
    EXPECT(wakes(loop, 500));
    EXPECT(el_loop_now(loop) == 0);
    el_loop_destroy(loop);
}

// MARK: - From other threads

static void *ring(void *loop) {
    el_loop_wake(loop);
    return NULL;
}

CASE(wake_from_a_thread_ends_a_wait) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    for (int i = 0; i < 50; i++) {
        pthread_t thread;
        EXPECT(pthread_create(&thread, NULL, ring, loop) == 0);
        EXPECT(wakes(loop, i % 2 == 0 ? EL_NEVER : 1000)); // before or during the wait, as it comes
        pthread_join(thread, NULL);
        EXPECT(is_quiet(loop));
    }
    el_loop_destroy(loop);
}

struct mailbox {
    el_loop *loop;
    sem_t is_read;
    uint64_t letter; // plain: el_loop_wake has to carry it over
};

enum { LETTERS = 2000 };

static void *write_letters(void *argument) {
    struct mailbox *mailbox = argument;
    for (uint64_t i = 1; i <= LETTERS; i++) {
        mailbox->letter = i;
        el_loop_wake(mailbox->loop);
        while (sem_wait(&mailbox->is_read) != 0) {
        }
    }
    return NULL;
}

CASE(wake_carries_what_was_written_before) {
    struct mailbox mailbox = {.loop = make_loop(EL_CLOCK_MONOTONIC)};
    sem_init(&mailbox.is_read, 0, 0);
    pthread_t thread;
    EXPECT(pthread_create(&thread, NULL, write_letters, &mailbox) == 0);
    for (uint64_t i = 1; i <= LETTERS; i++) {
        EXPECT(wakes(mailbox.loop, EL_NEVER));
        EXPECT(mailbox.letter == i);
        sem_post(&mailbox.is_read);
    }
    pthread_join(thread, NULL);
    sem_destroy(&mailbox.is_read);
    el_loop_destroy(mailbox.loop);
}

enum { RINGERS = 8, RINGS = 5000 };

struct counter {
    el_loop *loop;
    atomic_int posted;
    int letters[RINGERS][RINGS]; // plain, each written once before its wake
    atomic_int written[RINGERS];
};

struct ringer {
    struct counter *counter;
    int index;
};

static void *ring_often(void *argument) {
    struct ringer *ringer = argument;
    struct counter *counter = ringer->counter;
    for (int i = 0; i < RINGS; i++) {
        counter->letters[ringer->index][i] = i + 1;
        // Release and acquire pair with the reader's look at the count, which may run ahead of the wake.
        atomic_store_explicit(&counter->written[ringer->index], i + 1, memory_order_release);
        atomic_fetch_add_explicit(&counter->posted, 1, memory_order_relaxed);
        el_loop_wake(counter->loop);
    }
    return NULL;
}

/// A lost wake would leave the last letters unseen, and the loop asleep for ever.
CASE(wakes_from_eight_threads_are_never_lost) {
    static struct counter counter;
    counter.loop = make_loop(EL_CLOCK_MONOTONIC);
    pthread_t threads[RINGERS];
    struct ringer ringers[RINGERS];
    for (int i = 0; i < RINGERS; i++) {
        ringers[i] = (struct ringer){&counter, i};
        EXPECT(pthread_create(&threads[i], NULL, ring_often, &ringers[i]) == 0);
    }
    int seen[RINGERS] = {0};
    while (atomic_load_explicit(&counter.posted, memory_order_relaxed) < RINGERS * RINGS) {
        EXPECT(wakes(counter.loop, EL_NEVER));
        for (int i = 0; i < RINGERS; i++) {
            int end = atomic_load_explicit(&counter.written[i], memory_order_acquire);
            for (; seen[i] < end; seen[i]++) EXPECT(counter.letters[i][seen[i]] == seen[i] + 1);
        }
    }
    for (int i = 0; i < RINGERS; i++) pthread_join(threads[i], NULL);
    el_event event;
    EXPECT(poll_loop(counter.loop, &event, 1) <= 1);
    EXPECT(is_quiet(counter.loop));
    el_loop_destroy(counter.loop);
}

static void *ring_hundred_times(void *loop) {
    for (int i = 0; i < 100; i++) el_loop_wake(loop);
    return NULL;
}

/// Their last wakes are still unheard when the loop is destroyed.
CASE(wakes_from_eight_threads_that_end_before_the_loop) {
    for (int round = 0; round < 50; round++) {
        el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
        pthread_t threads[RINGERS];
        for (int i = 0; i < RINGERS; i++) {
            EXPECT(pthread_create(&threads[i], NULL, ring_hundred_times, loop) == 0);
        }
        for (int i = 0; i < round % 3; i++) EXPECT(wakes(loop, i == 0 ? EL_NEVER : 0) || i > 0);
        for (int i = 0; i < RINGERS; i++) pthread_join(threads[i], NULL);
        el_loop_destroy(loop);
    }
}
