#define _GNU_SOURCE

#include "CFloor.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static uint64_t read_clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now); // cannot fail with these clocks
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t floor_now_ns(void) { return read_clock_ns(CLOCK_MONOTONIC); }

// The same time as getrusage's, but in nanoseconds: an idle workload uses only some microseconds.
uint64_t floor_cpu_ns(void) { return read_clock_ns(CLOCK_PROCESS_CPUTIME_ID); }

uint64_t floor_voluntary_switches(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_nvcsw;
}

static uint64_t kilobytes_after(const char *text, const char *label) {
    const char *line = strstr(text, label);
    return line == NULL ? 0 : strtoull(line + strlen(label), NULL, 10);
}

// Not ru_maxrss: exec folds the old image's peak into it, and after posix_spawn that image is the
// parent's. VmHWM belongs to this image alone.
struct floor_memory floor_memory(void) {
    char text[8192];
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    text[length < 0 ? 0 : length] = '\0';
    return (struct floor_memory){
        .current_bytes = kilobytes_after(text, "VmRSS:") * 1024,
        .peak_bytes = kilobytes_after(text, "VmHWM:") * 1024,
    };
}

int floor_allowed_cores(int *cores, int capacity) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) < 0) return -errno;
    int found = 0;
    for (int core = 0; core < CPU_SETSIZE && found < capacity; core++) {
        if (CPU_ISSET(core, &allowed)) cores[found++] = core;
    }
    return CPU_COUNT(&allowed);
}

int floor_pin_to_core(int core) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    return sched_setaffinity(0, sizeof one, &one) < 0 ? -errno : 0;
}

void floor_end_with_parent(void) { prctl(PR_SET_PDEATHSIG, SIGKILL); }
