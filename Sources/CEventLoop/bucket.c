#include "bucket.h"

#include "invariant.h"

// A list of cache lines, because what a timer costs is memory that is not in the cache. To walk over a
// list that was linked from timer to timer, one at a time and each behind another miss, cost more than all
// the rest. Deadlines stand in the list, so no slot has to be read to compare them; a cancelled entry leaves
// a hole, so no neighbour has to be written.

static const uint32_t CHUNK_LIMIT = UINT32_MAX >> CHUNK_BITS;

void bucket_open(struct timer_memory *memory) {
    pool_open(&memory->slots, sizeof(struct timer_slot), SLOT_PAGE_BITS);
    pool_open(&memory->chunks, sizeof(struct timer_chunk), CHUNK_PAGE_BITS);
    memory->spare = POOL_NOTHING;
}

void bucket_close(struct timer_memory *memory) {
    pool_close(&memory->slots);
    pool_close(&memory->chunks);
}

// MARK: - Chunks

static void give_back_chunk(struct timer_memory *memory, uint32_t chunk) {
    pool_give_back(&memory->chunks, chunk, sizeof(struct timer_chunk), CHUNK_PAGE_BITS);
}

static uint32_t take_chunk(struct timer_memory *memory) {
    uint32_t chunk = memory->spare;
    if (chunk != POOL_NOTHING) {
        memory->spare = chunk_at(memory, chunk)->next;
        return chunk;
    }
    chunk = pool_take(&memory->chunks, sizeof(struct timer_chunk), CHUNK_PAGE_BITS);
    if (chunk == POOL_NOTHING || chunk < CHUNK_LIMIT) return chunk;
    give_back_chunk(memory, chunk);
    return POOL_NOTHING;
}

static void set_aside(struct timer_memory *memory, uint32_t chunk) {
    chunk_at(memory, chunk)->next = memory->spare;
    memory->spare = chunk;
}

bool bucket_reserve(struct timer_memory *memory, uint32_t count) {
    uint32_t spare = POOL_NOTHING;
    for (; count > 0; count--) {
        uint32_t chunk = take_chunk(memory);
        if (chunk == POOL_NOTHING) break;
        chunk_at(memory, chunk)->next = spare;
        spare = chunk;
    }
    memory->spare = spare;
    if (count > 0) bucket_release(memory);
    return count == 0;
}

void bucket_release(struct timer_memory *memory) {
    while (memory->spare != POOL_NOTHING) {
        uint32_t chunk = memory->spare;
        memory->spare = chunk_at(memory, chunk)->next;
        give_back_chunk(memory, chunk);
    }
}

uint32_t bucket_consume(struct timer_memory *memory, uint32_t chunk, struct timer_chunk *copy) {
    *copy = *chunk_at(memory, chunk);
    set_aside(memory, chunk);
    return copy->next;
}

// MARK: - Entries

static uint64_t first_deadline(const struct timer_memory *memory, const struct timer_bucket *bucket) {
    const struct timer_chunk *chunk = chunk_at(memory, bucket->first);
    return chunk->deadlines_ns[__builtin_ctz(chunk->live)];
}

static bool add_chunk(struct timer_memory *memory, struct timer_bucket *bucket, uint32_t number) {
    uint32_t added = take_chunk(memory);
    if (added == POOL_NOTHING) return false;
    struct timer_chunk *chunk = chunk_at(memory, added);
    chunk->next = POOL_NOTHING;
    chunk->bucket = number;
    chunk->live = 0;
    if (bucket->kind == BUCKET_EMPTY) {
        chunk->previous = POOL_NOTHING;
        bucket->first = added;
        bucket->kind = BUCKET_EQUAL;
        bucket->count = 0;
    } else {
        chunk->previous = bucket->last;
        chunk_at(memory, bucket->last)->next = added;
    }
    bucket->last = added;
    bucket->last_end = 0;
    return true;
}

bool bucket_append(struct timer_memory *memory, struct timer_bucket *bucket, uint32_t number, uint32_t slot,
                   uint64_t deadline_ns) {
    if (bucket->kind == BUCKET_EQUAL && first_deadline(memory, bucket) != deadline_ns) {
        bucket->kind = BUCKET_MIXED;
    }
    bool has_room = bucket->kind != BUCKET_EMPTY && bucket->last_end < CHUNK_ENTRIES;
    if (!has_room && !add_chunk(memory, bucket, number)) return false;
    struct timer_chunk *chunk = chunk_at(memory, bucket->last);
    uint32_t index = bucket->last_end++;
    chunk->deadlines_ns[index] = deadline_ns;
    chunk->slots[index] = slot;
    chunk->live |= 1u << index;
    bucket->count++;
    slot_at(memory, slot)->place = bucket->last << CHUNK_BITS | index;
    return true;
}

static void remove_chunk(struct timer_memory *memory, struct timer_bucket *bucket, uint32_t removed) {
    const struct timer_chunk *chunk = chunk_at(memory, removed);
    if (chunk->previous == POOL_NOTHING) {
        bucket->first = chunk->next;
    } else {
        chunk_at(memory, chunk->previous)->next = chunk->next;
    }
    if (chunk->next == POOL_NOTHING) {
        bucket->last = chunk->previous;
        bucket->last_end = CHUNK_ENTRIES; // that chunk is filled up no more
    } else {
        chunk_at(memory, chunk->next)->previous = chunk->previous;
    }
    if (--bucket->count == 0) bucket->kind = BUCKET_EMPTY;
    give_back_chunk(memory, removed);
}

void bucket_remove(struct timer_memory *memory, struct timer_bucket *bucket, uint32_t place) {
    uint32_t index = place & (CHUNK_ENTRIES - 1), number = place >> CHUNK_BITS;
    struct timer_chunk *chunk = chunk_at(memory, number);
    chunk->live &= ~(1u << index);
    if (chunk->live == 0) {
        remove_chunk(memory, bucket, number);
        return;
    }
    bucket->count--;
    // A timer that is started and cancelled at once leaves no hole.
    if (number == bucket->last && index + 1 == bucket->last_end) bucket->last_end--;
}

uint64_t bucket_difference(const struct timer_memory *memory, const struct timer_bucket *bucket,
                           uint64_t *one_ns) {
    uint64_t first_ns = first_deadline(memory, bucket), difference = 0;
    for (uint32_t number = bucket->first; number != POOL_NOTHING;) {
        const struct timer_chunk *chunk = chunk_at(memory, number);
        for (uint32_t live = chunk->live; live != 0; live &= live - 1) {
            difference |= chunk->deadlines_ns[__builtin_ctz(live)] ^ first_ns;
        }
        number = chunk->next;
    }
    *one_ns = first_ns;
    return difference;
}

uint32_t bucket_first(const struct timer_memory *memory, const struct timer_bucket *bucket,
                      uint64_t *deadline_ns) {
    const struct timer_chunk *chunk = chunk_at(memory, bucket->first);
    uint32_t index = (uint32_t)__builtin_ctz(chunk->live), slot = chunk->slots[index];
    uint64_t least_ns = chunk->deadlines_ns[index];
    for (uint32_t number = bucket->first; bucket->kind != BUCKET_EQUAL && number != POOL_NOTHING;) {
        chunk = chunk_at(memory, number);
        for (uint32_t live = chunk->live; live != 0; live &= live - 1) {
            index = (uint32_t)__builtin_ctz(live);
            if (chunk->deadlines_ns[index] >= least_ns) continue;
            least_ns = chunk->deadlines_ns[index];
            slot = chunk->slots[index];
        }
        number = chunk->next;
    }
    *deadline_ns = least_ns;
    return slot;
}

// MARK: - Invariants

uint32_t bucket_check(const struct timer_memory *memory, const struct timer_bucket *bucket, uint32_t number) {
    uint32_t previous = POOL_NOTHING, count = 0, chunk_count = 0;
    uint64_t first_ns = first_deadline(memory, bucket);
    for (uint32_t at = bucket->first; at != POOL_NOTHING; at = chunk_at(memory, at)->next) {
        const struct timer_chunk *chunk = chunk_at(memory, at);
        must_hold(chunk->bucket == number, "a chunk knows its bucket");
        must_hold(chunk->previous == previous, "a chunk knows the one before it");
        must_hold(chunk->live != 0, "no chunk is empty");
        for (uint32_t index = 0; index < CHUNK_ENTRIES; index++) {
            if ((chunk->live >> index & 1) == 0) continue;
            must_hold(at != bucket->last || index < bucket->last_end, "nothing is live behind the end");
            const struct timer_slot *slot = slot_at(memory, chunk->slots[index]);
            must_hold(slot->generation != 0, "what stands in a list is live");
            must_hold(slot->place == (at << CHUNK_BITS | index), "a slot knows its entry");
            must_hold(bucket->kind != BUCKET_EQUAL || chunk->deadlines_ns[index] == first_ns,
                      "a list of one deadline has no other");
            count++;
        }
        previous = at;
        chunk_count++;
    }
    must_hold(bucket->last == previous, "a bucket knows its last chunk");
    must_hold(bucket->count == count && count > 0, "a bucket knows how many it holds");
    return chunk_count;
}
