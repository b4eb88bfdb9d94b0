/// A bucket: deadlines in the order of their arrival, four to a cache line.
#ifndef EL_BUCKET_H
#define EL_BUCKET_H

#include "pool.h"

enum { CHUNK_BITS = 2, CHUNK_ENTRIES = 1 << CHUNK_BITS, CHUNK_PAGE_BITS = 7, SLOT_PAGE_BITS = 8 };

/// What a timer's id leads to.
struct timer_slot {
    uint32_t place;      // its entry: the chunk's number and the index in it; the pool's while it is free
    uint32_t generation; // 0: free
    uint64_t token;
};

/// One cache line of a list. What was taken out leaves a hole; only the list's last chunk is filled up.
struct timer_chunk {
    uint32_t next, previous;
    uint32_t bucket; // its number
    uint32_t live;   // a bit for each entry
    uint32_t slots[CHUNK_ENTRIES];
    uint64_t deadlines_ns[CHUNK_ENTRIES];
};

enum timer_bucket_kind {
    BUCKET_EMPTY,
    BUCKET_EQUAL, // a list of one deadline
    BUCKET_MIXED, // a list of several deadlines, perhaps
    BUCKET_NODE,  // finer buckets
};

struct timer_node;

struct timer_bucket {
    union {
        struct {
            uint32_t first, last; // chunks
        };
        struct timer_node *node;
    };
    uint32_t count; // of the list's live entries
    uint8_t kind;
    uint8_t last_end; // behind the last live entry of the last chunk
};

/// The memory of lists.
struct timer_memory {
    struct pool slots, chunks;
    uint32_t spare; // chunks set aside by bucket_reserve
};

EL_ROOM void bucket_open(struct timer_memory *memory);
EL_ROOM void bucket_close(struct timer_memory *memory);

static inline struct timer_slot *slot_at(const struct timer_memory *memory, uint32_t slot) {
    return pool_at(&memory->slots, slot, sizeof(struct timer_slot), SLOT_PAGE_BITS);
}

static inline struct timer_chunk *chunk_at(const struct timer_memory *memory, uint32_t chunk) {
    return pool_at(&memory->chunks, chunk, sizeof(struct timer_chunk), CHUNK_PAGE_BITS);
}

/// Puts a slot at the end. False when memory ran out.
EL_ROOM bool bucket_append(struct timer_memory *memory, struct timer_bucket *bucket, uint32_t number,
                           uint32_t slot, uint64_t deadline_ns);
EL_ROOM void bucket_remove(struct timer_memory *memory, struct timer_bucket *bucket, uint32_t place);
/// The earliest slot; of equal ones the first that came.
EL_ROOM uint32_t bucket_first(const struct timer_memory *memory, const struct timer_bucket *bucket,
                              uint64_t *deadline_ns);
/// The bits in which deadlines of a list that is not empty differ.
EL_ROOM uint64_t bucket_difference(const struct timer_memory *memory, const struct timer_bucket *bucket,
                                   uint64_t *one_ns);

/// Sets chunks aside, so that `count` lists can be begun without fail. False when memory ran out.
EL_ROOM bool bucket_reserve(struct timer_memory *memory, uint32_t count);
EL_ROOM void bucket_release(struct timer_memory *memory);
/// Copies a list's first chunk, sets it aside, and returns the next one.
EL_ROOM uint32_t bucket_consume(struct timer_memory *memory, uint32_t chunk, struct timer_chunk *copy);

/// Returns the number of chunks.
EL_ROOM uint32_t bucket_check(const struct timer_memory *memory, const struct timer_bucket *bucket,
                              uint32_t number);

#endif
