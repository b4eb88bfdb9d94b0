// Random sequences for as long as asked; the first that fails is made small and printed.
//
//     model [--seed S] [--steps N | --seconds T]      the same seed runs the same sequences
//     model --replay FILE|HEX                         one sequence, with a line for each operation
//     model --shrink FILE|HEX                         the same, if it fails made small first
#define _GNU_SOURCE

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "breach.h"
#include "model.h"
#include "random.h"
#include "shrink.h"

// Of one sequence: only one that hangs takes as long.
enum { LONGEST_S = 20, LONGEST_REPLAY_S = 5 };

struct options {
    uint64_t seed;
    uint64_t steps;
    uint64_t seconds;   // 0: until the steps are done
    const char *replay; // a sequence to run instead
    bool is_shrinking;
};

/// Where the child that runs the sequences has got to, which is all that is left of it after a crash.
struct progress {
    uint64_t sequence_seed;
    uint64_t steps;
    bool is_done;
};

static uint64_t now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec;
}

static uint8_t sequence[MOST_OPERATIONS * OPERATION_SIZE];

// MARK: - Replay

static int digit(char character) {
    const char *digits = "0123456789abcdef";
    const char *found = character == 0 ? NULL : strchr(digits, character);
    return found == NULL ? -1 : (int)(found - digits);
}

/// Bytes from hexadecimal digits. Returns how many, or 0 when it is something else.
static size_t bytes_of_hex(const char *text, uint8_t *bytes, size_t room) {
    size_t length = strlen(text) / 2;
    if (strlen(text) % 2 != 0 || length > room) return 0;
    for (size_t i = 0; i < length; i++) {
        int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return 0;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return length;
}

/// Reads a sequence from a file, or from the argument itself. Returns how many bytes, or 0.
static size_t load(const char *source, uint8_t *bytes, size_t room) {
    FILE *file = fopen(source, "rb");
    if (file == NULL) return bytes_of_hex(source, bytes, room);
    size_t length = fread(bytes, 1, room, file);
    fclose(file);
    return length;
}

static int show(const uint8_t *bytes, size_t length) {
    alarm(LONGEST_REPLAY_S);
    const char *sentence = model_run(bytes, length, stdout);
    printf("model: %s\n", sentence == NULL ? "no breach" : sentence);
    return sentence == NULL ? 0 : 1;
}

/// Makes `sequence`, which fails, small, and prints it.
static void show_shrunk(size_t count) {
    fprintf(stderr, "model: a sequence of %zu operations fails; making it smaller …\n", count);
    count = shrink(sequence, count);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) exit(show(sequence, count * OPERATION_SIZE));
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) {
        bool is_hang = WTERMSIG(status) == SIGALRM;
        printf("\nmodel: %s\n", is_hang ? "it did not end" : strsignal(WTERMSIG(status)));
    }
    printf("model: %zu operations are left; again with: Scripts/model --replay ", count);
    for (size_t i = 0; i < count * OPERATION_SIZE; i++) printf("%02x", sequence[i]);
    printf("\n");
}

/// One sequence that somebody gives: shown as it is, or first made smaller.
static int replay(const char *source, bool is_shrinking) {
    size_t length = load(source, sequence, sizeof sequence);
    if (length == 0) {
        fprintf(stderr, "model: %s is neither a file with a sequence nor hexadecimal digits\n", source);
        return 64;
    }
    size_t count = length / OPERATION_SIZE;
    if (!is_shrinking || !fails_in_child(sequence, count)) return show(sequence, length);
    show_shrunk(count);
    return 1;
}

// MARK: - Random sequences

/// Each sequence has a seed of its own, so that one alone can be had again.
static uint64_t seed_of(const struct options *options, uint64_t index) {
    return options->seed * 0x2545f4914f6cdd1d + index;
}

static void run_sequences(const struct options *options, struct progress *progress) {
    uint64_t end_s = now_s() + options->seconds;
    for (uint64_t index = 0;; index++) {
        bool is_over = options->seconds > 0 ? now_s() >= end_s : progress->steps >= options->steps;
        if (is_over) break;
        progress->sequence_seed = seed_of(options, index);
        size_t count = random_sequence(progress->sequence_seed, sequence);
        alarm(LONGEST_S);
        if (model_run(sequence, count * OPERATION_SIZE, NULL) != NULL) exit(1);
        progress->steps += count;
    }
    progress->is_done = true;
    exit(0); // not _exit: a leak checker works at exit
}

static void report(const struct options *options, uint64_t sequence_seed) {
    size_t count = random_sequence(sequence_seed, sequence);
    if (fails_in_child(sequence, count)) return show_shrunk(count);
    fprintf(stderr, "model: seed %llu fails, but its last sequence does not alone\n",
            (unsigned long long)options->seed);
}

static int run(const struct options *options) {
    struct progress *progress =
        mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(progress != MAP_FAILED, "mmap");
    fflush(stdout);
    pid_t child = fork();
    must(child >= 0, "fork");
    if (child == 0) run_sequences(options, progress);
    int status = 0;
    waitpid(child, &status, 0);
    printf("model: %llu steps, seed %llu\n", (unsigned long long)progress->steps,
           (unsigned long long)options->seed);
    if (status == 0) return 0;
    if (progress->is_done) {
        fprintf(stderr, "model: all went well until the process ended, with status %#x\n", (unsigned)status);
    } else {
        report(options, progress->sequence_seed);
    }
    return 1;
}

// MARK: - Arguments

static int usage(void) {
    fprintf(stderr, "usage: model [--seed S] [--steps N | --seconds T]\n       model --replay FILE|HEX\n     "
                    "  model --shrink FILE|HEX\n");
    return 64;
}

int main(int argument_count, char **arguments) {
    struct options options = {.steps = 1000000};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    options.seed = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    for (int i = 1; i < argument_count; i += 2) {
        if (i + 1 == argument_count) return usage();
        const char *name = arguments[i], *value = arguments[i + 1];
        if (strcmp(name, "--replay") == 0 || strcmp(name, "--shrink") == 0) {
            options.replay = value;
            options.is_shrinking = strcmp(name, "--shrink") == 0;
            continue;
        }
        char *end;
        uint64_t number = strtoull(value, &end, 10);
        if (*value == 0 || *end != 0) return usage();
        if (strcmp(name, "--seed") == 0) {
            options.seed = number;
        } else if (strcmp(name, "--steps") == 0) {
            options.steps = number;
        } else if (strcmp(name, "--seconds") == 0) {
            options.seconds = number;
        } else {
            return usage();
        }
    }
    signal(SIGPIPE, SIG_IGN);
    return options.replay != NULL ? replay(options.replay, options.is_shrinking) : run(&options);
}
