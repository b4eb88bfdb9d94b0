#define _GNU_SOURCE
// libuv: a binary heap of handles that the caller provides, in milliseconds.
#include <stdlib.h>
#include <uv.h>

#include "store.h"

static uv_loop_t loop;
static uv_timer_t *handles;
static uint64_t *free_handles;
static size_t free_count, fired;
static uint64_t open_ms;

static void open_store(size_t most) {
    if (uv_loop_init(&loop) != 0) abort();
    handles = malloc(most * sizeof *handles);
    free_handles = malloc(most * sizeof *free_handles);
    if (handles == NULL || free_handles == NULL) abort();
    for (size_t i = 0; i < most; i++) {
        uv_timer_init(&loop, &handles[i]);
        free_handles[free_count++] = most - 1 - i;
    }
    open_ms = uv_now(&loop);
}

static void ring(uv_timer_t *handle) {
    free_handles[free_count++] = (uint64_t)(handle - handles);
    fired++;
}

static uint64_t start(uint64_t deadline_ns) {
    uint64_t handle = free_handles[--free_count];
    uv_timer_start(&handles[handle], ring, open_ms + deadline_ns / MILLISECOND - uv_now(&loop), 0);
    return handle;
}

static void cancel(uint64_t handle) {
    uv_timer_stop(&handles[handle]);
    free_handles[free_count++] = handle;
}

static uint64_t earliest(void) { return (uint64_t)uv_backend_timeout(&loop); }

static size_t fire(uint64_t now_ns) {
    (void)now_ns;
    fired = 0;
    uv_run(&loop, UV_RUN_NOWAIT);
    return fired;
}

const struct store uv_store = {"libuv", open_store, start, cancel, earliest, fire, false};
