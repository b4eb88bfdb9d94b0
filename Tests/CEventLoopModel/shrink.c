#define _GNU_SOURCE

#include "shrink.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "breach.h"
#include "model.h"
#include "random.h"

enum { LONGEST_S = 5 }; // only a sequence that hangs takes as long

bool fails_in_child(const uint8_t *bytes, size_t count) {
    fflush(stdout);
    pid_t child = fork();
    must(child >= 0, "fork");
    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(nowhere, STDERR_FILENO);
        close(nowhere);
        alarm(LONGEST_S);
        exit(model_run(bytes, count * OPERATION_SIZE, NULL) == NULL ? 0 : 1); // not _exit: leaks count
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status != 0;
}

static uint8_t attempt[MOST_OPERATIONS * OPERATION_SIZE];

/// The sequence without `length` operations from `from`.
static bool fails_without(const uint8_t *bytes, size_t count, size_t from, size_t length) {
    size_t head = from * OPERATION_SIZE, tail = (count - from - length) * OPERATION_SIZE;
    memcpy(attempt, bytes, head);
    memcpy(attempt + head, bytes + head + length * OPERATION_SIZE, tail);
    return fails_in_child(attempt, count - length);
}

/// One pass with pieces of one length, from the end: what comes late depends on what comes early.
static size_t leave_out(uint8_t *bytes, size_t count, size_t length) {
    for (size_t end = count; end >= length && length > 0; end -= end < length ? end : length) {
        if (!fails_without(bytes, count, end - length, length)) continue;
        count -= length;
        memcpy(bytes, attempt, count * OPERATION_SIZE);
    }
    return count;
}

static void lower_bytes(uint8_t *bytes, size_t count) {
    static const uint8_t simple[] = {0, 1, 2, 4, 8};
    for (size_t i = 0; i < count * OPERATION_SIZE; i++) {
        uint8_t kept = bytes[i];
        for (size_t j = 0; j < sizeof simple && i % OPERATION_SIZE != 0; j++) {
            if (simple[j] >= kept) break;
            bytes[i] = simple[j];
            if (fails_in_child(bytes, count)) break;
            bytes[i] = kept;
        }
    }
}

size_t shrink(uint8_t *bytes, size_t count) {
    size_t before;
    do {
        before = count;
        for (size_t length = count / 2; length > 0; length /= 2) count = leave_out(bytes, count, length);
    } while (count < before);
    lower_bytes(bytes, count);
    return leave_out(bytes, count, 1);
}
