/// One face for the timer stores that are compared.
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static const uint64_t MICROSECOND = 1000, MILLISECOND = 1000000, SECOND = 1000000000;

/// Times are nanoseconds since `open`. A timer is named by what `start` returns.
struct store {
    const char *name;
    void (*open)(size_t most);
    uint64_t (*start)(uint64_t deadline_ns);
    void (*cancel)(uint64_t timer);
    /// What a loop asks before it blocks.
    uint64_t (*earliest)(void);
    /// Fires all that is due at a time, and returns how many that were. Time never goes back.
    size_t (*fire)(uint64_t now_ns);
    /// Whether `fire` may be called with a time that has not come.
    bool is_virtual;
};

extern const struct store tree_store, heap_store;
#ifdef HAS_UV
extern const struct store uv_store;
#endif

#endif
