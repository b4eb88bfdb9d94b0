#include "CFloor.h"
#include "loop.h"

struct sequence {
    struct loop loop;
    int remaining;
    uint64_t duration_ns;
    uint64_t begin_ns;
    uint64_t early_count;
    struct floor_histogram *lateness;
};

static void sleep_ended(void *argument);

static void sleep_once(struct sequence *sequence) {
    sequence->begin_ns = floor_now_ns();
    uint64_t deadline_ns = sequence->begin_ns + sequence->duration_ns;
    heap_push(&sequence->loop.timers, deadline_ns, (struct callback){sleep_ended, sequence});
}

static void sleep_ended(void *argument) {
    struct sequence *sequence = argument;
    uint64_t elapsed_ns = floor_now_ns() - sequence->begin_ns;
    if (elapsed_ns < sequence->duration_ns) {
        sequence->early_count++;
    } else {
        floor_histogram_record(sequence->lateness, elapsed_ns - sequence->duration_ns);
    }
    if (--sequence->remaining == 0) {
        loop_stop(&sequence->loop);
    } else {
        sleep_once(sequence);
    }
}

int floor_sleep_in_sequence(int count, uint64_t duration_ns, struct floor_histogram *lateness,
                            uint64_t *early_count) {
    struct sequence sequence = {.remaining = count, .duration_ns = duration_ns, .lateness = lateness};
    int result = loop_open(&sequence.loop);
    if (result == 0 && count > 0) {
        sleep_once(&sequence);
        loop_run(&sequence.loop);
    }
    *early_count = sequence.early_count;
    loop_close(&sequence.loop);
    return result;
}

struct crowd {
    struct loop loop;
    int remaining;
};

static void one_woke(void *argument) {
    struct crowd *crowd = argument;
    if (--crowd->remaining == 0) loop_stop(&crowd->loop);
}

int floor_sleep_at_once(int count, uint64_t duration_ns) {
    struct crowd crowd = {.remaining = count};
    int result = loop_open(&crowd.loop);
    if (result == 0 && count > 0) {
        for (int index = 0; index < count; index++) {
            uint64_t deadline_ns = floor_now_ns() + duration_ns;
            heap_push(&crowd.loop.timers, deadline_ns, (struct callback){one_woke, &crowd});
        }
        loop_run(&crowd.loop);
    }
    loop_close(&crowd.loop);
    return result;
}
