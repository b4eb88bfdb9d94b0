// Timer stores side by side: each measurement in a process of its own, the stores alternating.
//
//     make && ./timers [RUNS [LIVE]]      LIVE: the largest number of live timers, 1000000 at first
#define _GNU_SOURCE

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store.h"

static const struct store *store;

static uint64_t clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); // other processes take nothing from it
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

// Made before, so that the measured part only reads.
enum { RANDOMS = 1 << 16 };
static uint64_t randoms[RANDOMS];

static uint64_t random_below(uint64_t end) {
    static uint64_t state = 88172645463325252;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % end;
}

static void *allocate(size_t size) {
    void *block = malloc(size);
    if (block == NULL) abort();
    return block;
}

static uint64_t *start_many(size_t live, uint64_t range_ns) {
    uint64_t *timers = allocate(live * sizeof *timers);
    for (size_t i = 0; i < live; i++) timers[i] = store->start(random_below(range_ns) + 10 * SECOND);
    store->earliest();
    return timers;
}

// MARK: - What is measured; each returns nanoseconds an operation, or bytes

enum { OPERATIONS = 1000000 };

/// A timer is started and cancelled, while others are live.
static double start_cancel(size_t live) {
    store->open(live + 1);
    start_many(live, 60 * SECOND);
    uint64_t begin_ns = clock_ns();
    for (size_t i = 0; i < OPERATIONS; i++) store->cancel(store->start(randoms[i % RANDOMS]));
    return (double)(clock_ns() - begin_ns) / OPERATIONS;
}

/// One of many, chosen at random, is cancelled and started anew.
static double replace(size_t live) {
    store->open(live + 1);
    uint64_t *timers = start_many(live, 60 * SECOND), random = 1;
    uint64_t begin_ns = clock_ns();
    for (size_t i = 0; i < OPERATIONS; i++) {
        random = random * 6364136223846793005 + 1442695040888963407;
        size_t index = (size_t)((random >> 32) * live >> 32);
        store->cancel(timers[index]);
        timers[index] = store->start(randoms[i % RANDOMS]);
    }
    return (double)(clock_ns() - begin_ns) / OPERATIONS;
}

/// The first of all is cancelled and started anew, and the first is asked for each time.
static double replace_first(size_t live) {
    store->open(live + 1);
    start_many(live, 60 * SECOND);
    uint64_t begin_ns = clock_ns();
    for (size_t i = 0; i < OPERATIONS; i++) {
        uint64_t timer = store->start(9 * SECOND + randoms[i % RANDOMS] % MILLISECOND);
        store->earliest();
        store->cancel(timer);
        store->earliest();
    }
    return (double)(clock_ns() - begin_ns) / OPERATIONS;
}

/// Requests with a timeout of 30 s that are answered after a thousand others: 1 µs between two of them, and a
/// turn of the loop after each ten. Few timers ever fire.
static double timeouts(size_t live) {
    store->open(live + 1);
    uint64_t *timers = allocate(live * sizeof *timers), now_ns = 0;
    for (size_t i = 0; i < live; i++) timers[i] = store->start((now_ns += MICROSECOND) + 30 * SECOND);
    uint64_t begin_ns = clock_ns();
    for (size_t i = 0, oldest = 0; i < OPERATIONS; i++) {
        store->cancel(timers[oldest]);
        timers[oldest] = store->start((now_ns += MICROSECOND) + 30 * SECOND);
        if (++oldest == live) oldest = 0;
        if (i % 10 == 0) store->earliest();
    }
    return (double)(clock_ns() - begin_ns) / OPERATIONS;
}

static double begin_all(size_t live) {
    store->open(live);
    uint64_t begin_ns = clock_ns();
    for (size_t i = 0; i < live; i++) store->start(random_below(SECOND) + SECOND);
    return (double)(clock_ns() - begin_ns) / (double)live;
}

static double fire_all_of(size_t live, uint64_t range_ns) {
    store->open(live);
    for (size_t i = 0; i < live; i++) store->start((range_ns == 0 ? 0 : random_below(range_ns)) + SECOND);
    if (!store->is_virtual) usleep((useconds_t)((range_ns + SECOND) / MICROSECOND + 10000));
    uint64_t begin_ns = clock_ns();
    size_t fired = store->fire(range_ns + SECOND);
    uint64_t took_ns = clock_ns() - begin_ns;
    if (fired != live) abort();
    return (double)took_ns / (double)live;
}

static double fire_all(size_t live) { return fire_all_of(live, SECOND); }
static double fire_equal(size_t live) { return fire_all_of(live, 0); }

/// The steady state of sleepers: whoever wakes sleeps again, for anything up to `range_ns`.
static double sleep_again(size_t live, uint64_t range_ns) {
    if (!store->is_virtual) return -1;
    store->open(live + 1);
    uint64_t now_ns = 0;
    for (size_t i = 0; i < live; i++) store->start(random_below(range_ns));
    uint64_t step_ns = range_ns / live * 50; // fifty wake up in each turn, where there are so many
    size_t fired = 0, again = 0;
    uint64_t begin_ns = clock_ns();
    while (fired < OPERATIONS) {
        size_t count = store->fire(now_ns += step_ns);
        fired += count;
        for (size_t i = 0; i < count; i++) store->start(now_ns + randoms[again++ % RANDOMS] % range_ns);
    }
    return (double)(clock_ns() - begin_ns) / (double)fired;
}

static double sleep_long(size_t live) { return sleep_again(live, 60 * SECOND); }
static double sleep_short(size_t live) { return sleep_again(live, 10 * MILLISECOND); }

static double memory(size_t live) {
    struct mallinfo2 before = mallinfo2();
    store->open(live);
    for (size_t i = 0; i < live; i++) store->start(random_below(60 * SECOND));
    store->earliest();
    struct mallinfo2 after = mallinfo2();
    return (double)(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) / (double)live;
}

// MARK: - Runs

struct row {
    const char *name;
    double (*measure)(size_t live);
    size_t live;
};

static const struct row rows[] = {
    {"start and cancel", start_cancel, 10},
    {"start and cancel", start_cancel, 10000},
    {"start and cancel", start_cancel, 100000},
    {"start and cancel", start_cancel, 1000000},
    {"start and cancel", start_cancel, 10000000},
    {"cancel any, start", replace, 10000},
    {"cancel any, start", replace, 100000},
    {"cancel any, start", replace, 1000000},
    {"cancel any, start", replace, 10000000},
    {"start and cancel the first", replace_first, 10},
    {"start and cancel the first", replace_first, 10000},
    {"start and cancel the first", replace_first, 1000000},
    {"timeouts, cancelled", timeouts, 1000},
    {"timeouts, cancelled", timeouts, 1000000},
    {"start all", begin_all, 1000000},
    {"start all", begin_all, 10000000},
    {"fire all", fire_all, 10000},
    {"fire all", fire_all, 1000000},
    {"fire all", fire_all, 10000000},
    {"fire all, one deadline", fire_equal, 1000000},
    {"sleep up to 10 ms again", sleep_short, 10},
    {"sleep up to 10 ms again", sleep_short, 10000},
    {"sleep up to 60 s again", sleep_long, 10000},
    {"sleep up to 60 s again", sleep_long, 1000000},
    {"bytes a timer", memory, 10000},
    {"bytes a timer", memory, 1000000},
};

static const struct store *const stores[] = {
    &tree_store,
    &heap_store,
#ifdef HAS_UV
    &uv_store,
#endif
};
enum { STORES = sizeof stores / sizeof *stores, MOST_RUNS = 99 };

static double run_in_child(const struct row *row, const struct store *chosen) {
    int ends[2];
    if (pipe(ends) != 0) abort();
    pid_t child = fork();
    if (child == 0) {
        store = chosen;
        double figure = row->measure(row->live);
        _exit(write(ends[1], &figure, sizeof figure) == sizeof figure ? 0 : 1);
    }
    close(ends[1]);
    double figure;
    if (child < 0 || read(ends[0], &figure, sizeof figure) != sizeof figure) figure = -1;
    close(ends[0]);
    waitpid(child, NULL, 0);
    return figure;
}

static int compare(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

int main(int argc, char **argv) {
    int runs = argc > 1 ? atoi(argv[1]) : 5;
    size_t most = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    if (runs < 1 || runs > MOST_RUNS) runs = 5;
    for (size_t i = 0; i < RANDOMS; i++) randoms[i] = random_below(60 * SECOND) + 10 * SECOND;
    printf("%-28s %9s", "ns, median (ratio to tree)", "live");
    for (size_t s = 0; s < STORES; s++) printf("  %16s", stores[s]->name);
    printf("\n");
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        if (rows[r].live > most) continue;
        static double figures[STORES][MOST_RUNS];
        for (int run = 0; run < runs; run++) {
            for (size_t s = 0; s < STORES; s++) figures[s][run] = run_in_child(&rows[r], stores[s]);
        }
        printf("%-28s %9zu", rows[r].name, rows[r].live);
        for (size_t s = 0; s < STORES; s++) qsort(figures[s], (size_t)runs, sizeof(double), compare);
        for (size_t s = 0; s < STORES; s++) {
            double median = figures[s][runs / 2];
            if (median < 0) {
                printf("  %16s", "-");
            } else {
                printf("  %8.1f (%5.2f)", median, median / figures[0][runs / 2]);
            }
        }
        printf("\n");
        fflush(stdout);
    }
}
