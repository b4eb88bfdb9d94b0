#define _GNU_SOURCE

#include "seam.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "report.h"
#include "rules.h"

const char *const call_names[CALL_COUNT] = {
#define CALL(name) #name,
#include "calls.h"
#undef CALL
};

struct fault faults[MOST_FAULTS];
long seam_injected[CALL_COUNT];

static const char *function; // of the reactor: the one that is running
static int call_count, block_count;
enum { NUMBERS = 4096 };
static bool is_ours[NUMBERS]; // opened by the reactor

void seam_begin(void) {
    call_count = block_count = 0;
    memset(is_ours, 0, sizeof is_ours);
    for (int i = 0; i < MOST_FAULTS; i++) {
        faults[i] = (struct fault){faults[i].at, faults[i].which, faults[i].times, .rule = NULL};
    }
}

void seam_enter(const char *name) { function = name; }

void seam_leave(void) {
    for (int i = 0; i < MOST_FAULTS; i++) faults[i].is_now = false;
    function = NULL;
}

int seam_blocks(void) { return block_count; }

int seam_descriptors(void) {
    int count = 0;
    for (int fd = 0; fd < NUMBERS; fd++) count += is_ours[fd];
    return count;
}

const char *seam_function(void) { return function; }

/// Counts one call. Returns the error with which it is to fail, or 0.
static int error_for(enum call call) {
    call_count++;
    if (!has_rule(function, call)) {
        report("%s calls %s, and rules.c does not say what may come of that",
               function == NULL ? "nobody" : function, call_names[call]);
    }
    for (int i = 0; i < MOST_FAULTS; i++) {
        struct fault *fault = &faults[i];
        if (fault->at == call_count) {
            fault->is_reached = true;
            fault->rule = find_rule(function, call, fault->which, &fault->error);
        }
        if (fault->rule == NULL || fault->times == 0) continue;
        if (fault->rule->call != call || strcmp(fault->rule->function, function) != 0) continue;
        fault->times--;
        fault->is_now = true;
        seam_injected[call]++;
        return fault->error;
    }
    return 0;
}

static bool fails(enum call call) {
    int error = error_for(call);
    if (error != 0) errno = error;
    return error != 0;
}

// MARK: - Memory

static void *counted(void *block) {
    block_count += block != NULL;
    return block;
}

void *fault_malloc(size_t size) { return fails(CALL_malloc) ? NULL : counted(malloc(size)); }

void *fault_calloc(size_t count, size_t size) {
    return fails(CALL_calloc) ? NULL : counted(calloc(count, size));
}

void *fault_realloc(void *block, size_t size) {
    if (fails(CALL_realloc)) return NULL;
    return block == NULL ? counted(malloc(size)) : realloc(block, size);
}

void *fault_aligned_alloc(size_t alignment, size_t size) {
    return fails(CALL_aligned_alloc) ? NULL : counted(aligned_alloc(alignment, size));
}

void fault_free(void *block) {
    error_for(CALL_free);
    block_count -= block != NULL;
    free(block);
}

// MARK: - Descriptors

static int opened(int fd) {
    if (fd >= NUMBERS) report("descriptor %d is more than these tests keep count of", fd);
    if (fd >= 0 && fd < NUMBERS) is_ours[fd] = true;
    return fd;
}

int fault_close(int fd) {
    if (fd < 0 || fd >= NUMBERS || !is_ours[fd]) {
        report("%s closes descriptor %d, which is not the loop's", function, fd);
        errno = EBADF;
        return -1;
    }
    is_ours[fd] = false;
    // Linux has closed it, whatever error close(2) returns then.
    int result = close(fd);
    return fails(CALL_close) ? -1 : result;
}

int fault_epoll_create1(int flags) { return fails(CALL_epoll_create1) ? -1 : opened(epoll_create1(flags)); }

int fault_timerfd_create(int clock, int flags) {
    return fails(CALL_timerfd_create) ? -1 : opened(timerfd_create(clock, flags));
}

int fault_eventfd(unsigned int count, int flags) {
    return fails(CALL_eventfd) ? -1 : opened(eventfd(count, flags));
}

int fault_signalfd(int fd, const sigset_t *mask, int flags) {
    return fails(CALL_signalfd) ? -1 : opened(signalfd(fd, mask, flags));
}

/// Under a number that the reactor has opened already.
int fault_dup3(int old_fd, int new_fd, int flags) {
    return fails(CALL_dup3) ? -1 : dup3(old_fd, new_fd, flags);
}

long fault_syscall(long number, ...) {
    va_list arguments;
    va_start(arguments, number);
    long value = -1;
    if (number == SYS_pidfd_open) {
        pid_t pid = va_arg(arguments, pid_t);
        if (!fails(CALL_pidfd_open)) value = opened((int)syscall(SYS_pidfd_open, pid, 0));
    } else if (number == SYS_pidfd_send_signal) {
        int pidfd = va_arg(arguments, int), signal = va_arg(arguments, int);
        if (!fails(CALL_pidfd_send_signal)) value = syscall(number, pidfd, signal, NULL, 0);
    } else {
        report("system call %ld is not known here", number);
    }
    va_end(arguments);
    return value;
}

// MARK: - What is done with them

int fault_waitid(idtype_t kind, id_t id, siginfo_t *info, int options) {
    return fails(CALL_waitid) ? -1 : waitid(kind, id, info, options);
}

int fault_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event) {
    enum call call = operation == EPOLL_CTL_ADD ? CALL_epoll_ctl_add
                   : operation == EPOLL_CTL_MOD ? CALL_epoll_ctl_mod
                                                : CALL_epoll_ctl_del;
    return fails(call) ? -1 : epoll_ctl(epoll_fd, operation, fd, event);
}

int fault_epoll_wait(int epoll_fd, struct epoll_event *events, int capacity, int timeout_ms) {
    return fails(CALL_epoll_wait) ? -1 : epoll_wait(epoll_fd, events, capacity, timeout_ms);
}

int fault_timerfd_settime(int fd, int flags, const struct itimerspec *wanted, struct itimerspec *old) {
    return fails(CALL_timerfd_settime) ? -1 : timerfd_settime(fd, flags, wanted, old);
}

int fault_clock_gettime(clockid_t clock, struct timespec *out) {
    return fails(CALL_clock_gettime) ? -1 : clock_gettime(clock, out);
}

int fault_pthread_sigmask(int how, const sigset_t *set, sigset_t *old) {
    // The one that returns its error instead of setting errno.
    int error = error_for(how == SIG_BLOCK ? CALL_pthread_sigmask_block : CALL_pthread_sigmask_restore);
    return error != 0 ? error : pthread_sigmask(how, set, old);
}

ssize_t fault_read(int fd, void *out, size_t size) { return fails(CALL_read) ? -1 : read(fd, out, size); }

ssize_t fault_write(int fd, const void *bytes, size_t size) {
    if (!fails(CALL_write)) return write(fd, bytes, size);
    // An eventfd says so when its counter is full, and then it is readable.
    if (errno == EAGAIN) return write(fd, &(uint64_t){UINT64_MAX - 1}, size) < 0 ? -1 : (errno = EAGAIN, -1);
    return -1;
}

/// What it accepts is the caller's.
int fault_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    return fails(CALL_accept4) ? -1 : accept4(fd, address, length, flags);
}
