#include "CFloor.h"
#include "heap.h"

// Xorshift: as random as a benchmark needs, and as fast as it needs.
uint64_t floor_next_delay_ns(uint64_t *random_state) {
    uint64_t state = *random_state;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    *random_state = state;
    return 1000000000 + state % 10000000000;
}

static void never(void *argument) { (void)argument; }

int floor_start_and_cancel_timers(int live_count, int count, uint64_t *elapsed_ns) {
    struct heap heap;
    heap_open(&heap);
    uint64_t random_state = 1;
    struct callback callback = {never, NULL};
    uint64_t base_ns = floor_now_ns();
    for (int index = 0; index < live_count; index++) {
        heap_push(&heap, base_ns + floor_next_delay_ns(&random_state), callback);
    }
    uint64_t begin_ns = floor_now_ns();
    for (int index = 0; index < count; index++) {
        uint64_t deadline_ns = base_ns + floor_next_delay_ns(&random_state);
        heap_cancel(&heap, heap_push(&heap, deadline_ns, callback));
    }
    *elapsed_ns = floor_now_ns() - begin_ns;
    heap_close(&heap);
    return 0;
}
