// Random sequences for as long as asked; the first that fails is made small and printed.
//
//     model [--seed S] [--steps N | --seconds T]      the same seed runs the same sequences
//     model --replay FILE|HEX                         one sequence, with a line for each operation
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

enum { LONGEST_S = 20 }; // of one sequence: only one that hangs takes as long

struct options {
    uint64_t seed;
    uint64_t steps;
    uint64_t seconds; // 0: until the steps are done
    const char *replay;
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

static int replay(const char *source) {
    static uint8_t bytes[1 << 20];
    size_t length;
    FILE *file = fopen(source, "rb");
    if (file != NULL) {
        length = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
    } else {
        length = bytes_of_hex(source, bytes, sizeof bytes);
        if (length == 0) {
            fprintf(stderr, "model: %s is neither a file nor hexadecimal digits\n", source);
            return 64;
        }
    }
    alarm(LONGEST_S);
    const char *sentence = model_run(bytes, length, stdout);
    printf("model: %s\n", sentence == NULL ? "no breach" : sentence);
    return sentence == NULL ? 0 : 1;
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
    fprintf(stderr, "model: a sequence of %zu operations fails; making it smaller …\n", count);
    if (!fails_in_child(sequence, count)) {
        fprintf(stderr, "model: it does not fail alone: what came before it matters (seed %llu)\n",
                (unsigned long long)options->seed);
        return;
    }
    count = shrink(sequence, count);
    char hex[MOST_OPERATIONS * OPERATION_SIZE * 2 + 1];
    for (size_t i = 0; i < count * OPERATION_SIZE; i++) sprintf(hex + 2 * i, "%02x", sequence[i]);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) exit(replay(hex));
    waitpid(child, NULL, 0);
    printf("model: %zu operations are left; again with: Scripts/model --replay %s\n", count, hex);
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
    fprintf(stderr, "usage: model [--seed S] [--steps N | --seconds T]\n       model --replay FILE|HEX\n");
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
        if (strcmp(name, "--replay") == 0) {
            options.replay = value;
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
    return options.replay != NULL ? replay(options.replay) : run(&options);
}
