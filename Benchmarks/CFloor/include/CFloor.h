/// The floor: each workload as the tightest C program that we could write for it, and what measuring needs.
///
/// Functions that can fail return 0 or -errno. Running out of memory ends the process: a benchmark has
/// nothing better to do then.
#ifndef CFLOOR_H
#define CFLOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Measuring (process.c)

/// The monotonic clock, which no loop caches.
uint64_t floor_now_ns(void);

/// User and system time of the whole process, with all its threads.
uint64_t floor_cpu_ns(void);

/// How often a thread of this process gave its core away because it had to wait.
uint64_t floor_voluntary_switches(void);

/// Resident memory of this process, now and at its peak.
struct floor_memory {
    uint64_t current_bytes;
    uint64_t peak_bytes;
};
struct floor_memory floor_memory(void);

/// The first cores this process may use, at most `capacity` of them; returns how many it may use in all.
int floor_allowed_cores(int *cores, int capacity);

/// Keeps the calling thread, and the threads and processes that it starts, on one core.
int floor_pin_to_core(int core);

/// Ends this process when the one that started it ends, so that no orphan distorts the next run.
void floor_end_with_parent(void);

// Latency histogram (histogram.c)

/// Counts durations in buckets that are at most 1/128 of the value wide.
struct floor_histogram;

struct floor_histogram *floor_histogram_create(void);
void floor_histogram_destroy(struct floor_histogram *histogram);
void floor_histogram_record(struct floor_histogram *histogram, uint64_t value);
uint64_t floor_histogram_count(const struct floor_histogram *histogram);
/// The exact greatest value; 0 if there is none.
uint64_t floor_histogram_maximum(const struct floor_histogram *histogram);
/// The value that `percent` of all values do not exceed: never less than the true one, and never more
/// than 1/128 above it.
uint64_t floor_histogram_percentile(const struct floor_histogram *histogram, double percent);

// TCP echo (echo_server.c, echo_client.c)

/// A listening socket on a free port of 127.0.0.1; its descriptor, or -errno.
int floor_listen(uint16_t *port);

/// Accepts this many connections and echoes until the last has been closed.
int floor_serve_echo(int listening_fd, int connections);

struct floor_echo_load {
    uint16_t port;
    int connections;
    uint32_t message_bytes; // at most 65,536
    uint64_t warm_up_ns;
    uint64_t duration_ns;
};

struct floor_echo_result {
    uint64_t measured_messages; // within the duration
    uint64_t all_messages;      // with those before and after it
    uint64_t measured_ns;
};

/// Keeps one message under way on each connection; -EBADMSG when an echo differs from what was sent,
/// -ETIMEDOUT when the server keeps silent for two seconds.
int floor_load_echo(const struct floor_echo_load *load, struct floor_histogram *latency,
                    struct floor_echo_result *result);

// A server to wait for (delay_server.c)

/// Answers this many requests `GET /<milliseconds>`, each after its delay and on its own connection.
int floor_serve_delays(int listening_fd, int requests);

// Time (sleeps.c, timers.c)

/// Sleeps one after another; records how late each ended, and counts those that ended early.
int floor_sleep_in_sequence(int count, uint64_t duration_ns, struct floor_histogram *lateness,
                            uint64_t *early_count);

/// Starts all sleeps, then waits for all of them.
int floor_sleep_at_once(int count, uint64_t duration_ns);

/// With `live_count` timers under way, starts and cancels one after another; the time that took.
int floor_start_and_cancel_timers(int live_count, int count, uint64_t *elapsed_ns);

/// A delay between one and eleven seconds; the same sequence for every variant of a workload.
uint64_t floor_next_delay_ns(uint64_t *random_state);

// Callbacks (callbacks.c)

/// Callbacks that each put themselves back at the end of the queue `steps` times.
int floor_step(int task_count, int steps, uint64_t *elapsed_ns);

/// Queues operations that return at once, and collects their results in order.
int floor_gather(int count, uint64_t *elapsed_ns);

// Posts from another thread (posts.c)

/// One thread posts all; from the first post to the last one run. A negative core means any.
int floor_post_burst(int count, int poster_core, uint64_t *elapsed_ns);

/// One thread posts, and waits for the answer before it posts again.
int floor_post_round_trips(int count, int poster_core, struct floor_histogram *round_trip);

/// An answer for a thread that waits: an eventfd, or -errno; its ring, and the blocking wait for it.
int floor_answer_open(void);
void floor_answer_ring(int answer_fd);
void floor_answer_wait(int answer_fd);

#ifdef __cplusplus
}
#endif

#endif
