// Log-linear buckets: values below 128 have one bucket each; above, each power of two is cut into 128
// buckets of equal width. So a bucket is never wider than 1/128 of its values, from a nanosecond to
// centuries, and recording is a shift and an increment.

#include "CFloor.h"
#include "allocate.h"

enum {
    SUB_BUCKET_BITS = 7,
    SUB_BUCKETS = 1 << SUB_BUCKET_BITS,
    // The first SUB_BUCKETS values, and one group for each power of two from there to 2^63.
    BUCKETS = (64 - SUB_BUCKET_BITS + 1) * SUB_BUCKETS,
};

struct floor_histogram {
    uint64_t count;
    uint64_t maximum;
    uint64_t buckets[BUCKETS];
};

static int power_of(uint64_t value) { return 63 - __builtin_clzll(value); }

static size_t bucket_of(uint64_t value) {
    if (value < SUB_BUCKETS) return (size_t)value;
    int shift = power_of(value) - SUB_BUCKET_BITS;
    // The shifted value is 128 to 255, so group 1 begins right behind the single values.
    return (size_t)shift * SUB_BUCKETS + (size_t)(value >> shift);
}

static uint64_t greatest_in(size_t bucket) {
    if (bucket < SUB_BUCKETS) return bucket;
    size_t shift = bucket / SUB_BUCKETS - 1;
    uint64_t sub_bucket = SUB_BUCKETS + bucket % SUB_BUCKETS;
    // Width first: one past the last value of the last bucket does not fit into 64 bits.
    return (sub_bucket << shift) + (((uint64_t)1 << shift) - 1);
}

struct floor_histogram *floor_histogram_create(void) {
    return allocate_zeroed(1, sizeof(struct floor_histogram));
}

void floor_histogram_destroy(struct floor_histogram *histogram) { free(histogram); }

void floor_histogram_record(struct floor_histogram *histogram, uint64_t value) {
    histogram->buckets[bucket_of(value)]++;
    histogram->count++;
    if (value > histogram->maximum) histogram->maximum = value;
}

uint64_t floor_histogram_count(const struct floor_histogram *histogram) { return histogram->count; }

uint64_t floor_histogram_maximum(const struct floor_histogram *histogram) { return histogram->maximum; }

uint64_t floor_histogram_percentile(const struct floor_histogram *histogram, double percent) {
    double exact_rank = percent / 100 * (double)histogram->count;
    uint64_t rank = (uint64_t)exact_rank;
    if ((double)rank < exact_rank || rank == 0) rank++;
    uint64_t seen = 0;
    for (size_t bucket = 0; bucket < BUCKETS; bucket++) {
        seen += histogram->buckets[bucket];
        if (seen < rank) continue;
        uint64_t value = greatest_in(bucket);
        return value < histogram->maximum ? value : histogram->maximum;
    }
    return histogram->maximum;
}
