// The signal that lets a thread look at itself, and the handler that does.
#define _GNU_SOURCE
#include <errno.h>
#include <execinfo.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

#include "CBacktrace.h"

enum { SIGNAL = SIGURG, MOST_FRAMES = 128, SECONDS_TO_ANSWER = 1 };

/// One capture at a time.
static pthread_mutex_t capturing = PTHREAD_MUTEX_INITIALIZER;

/// How far it is. The handler takes a request, and who has made it takes it back if nobody does.
enum { IDLE, REQUESTED, TAKEN, ANSWERED };
static atomic_int stage;
static _Atomic(pthread_t) target;
static sem_t answered;
static void *frames[MOST_FRAMES];
static int frame_count;
static uintptr_t interrupted_at;
static uint64_t taken_at;

/// How many threads are open, and what the signal did before the first.
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static int open_count;
static struct sigaction former;

static uintptr_t program_counter(const ucontext_t *context) {
#if defined(__x86_64__)
    return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uintptr_t)context->uc_mcontext.pc;
#else
    (void)context;
    return 0;
#endif
}

/// Calls only what a signal handler may. backtrace(3) is not on the list, because its first call loads the
/// unwinder; bt_open has made that one. After it, glibc takes no memory and no lock.
static void on_signal(int number, siginfo_t *info, void *context) {
    int error = errno;
    int expected = REQUESTED;
    if (atomic_load(&stage) == REQUESTED && pthread_equal(atomic_load(&target), pthread_self()) &&
        atomic_compare_exchange_strong(&stage, &expected, TAKEN)) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        taken_at = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
        frame_count = backtrace(frames, MOST_FRAMES);
        interrupted_at = program_counter(context);
        atomic_store(&stage, ANSWERED);
        sem_post(&answered);
    } else if (former.sa_handler == SIG_DFL || former.sa_handler == SIG_IGN) {
        // Nobody's, whatever the flags say.
    } else if (former.sa_flags & SA_SIGINFO) {
        former.sa_sigaction(number, info, context);
    } else {
        former.sa_handler(number);
    }
    errno = error;
}

static int install(void) {
    if (open_count > 0) return 0;
    (void)backtrace(frames, 1);
    if (sem_init(&answered, 0, 0) < 0) return -errno;
    // First the former one: the handler may be called as soon as it is there.
    if (sigaction(SIGNAL, NULL, &former) < 0) return -errno;
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    return sigaction(SIGNAL, &action, NULL) < 0 ? -errno : 0;
}

static void uninstall(void) {
    struct sigaction current;
    if (sigaction(SIGNAL, NULL, &current) < 0) return;
    // Whoever has replaced the handler meanwhile keeps theirs.
    if (current.sa_flags & SA_SIGINFO && current.sa_sigaction == on_signal) sigaction(SIGNAL, &former, NULL);
    sem_destroy(&answered);
}

static void change_mask(int how, bool *was_blocked) {
    sigset_t one, before;
    sigemptyset(&one);
    sigaddset(&one, SIGNAL);
    pthread_sigmask(how, &one, &before);
    if (was_blocked) *was_blocked = sigismember(&before, SIGNAL) == 1;
}

int bt_open(bool *was_blocked) {
    pthread_mutex_lock(&opening);
    int result = install();
    if (result == 0) open_count++;
    pthread_mutex_unlock(&opening);
    if (result == 0) change_mask(SIG_UNBLOCK, was_blocked);
    return result;
}

void bt_close(bool was_blocked) {
    if (was_blocked) change_mask(SIG_BLOCK, NULL);
    pthread_mutex_lock(&opening);
    if (--open_count == 0) uninstall();
    pthread_mutex_unlock(&opening);
}

/// Waits for the handler. Whether it has answered.
static bool is_answered(void) {
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += SECONDS_TO_ANSWER;
    int result;
    do {
        result = sem_clockwait(&answered, CLOCK_MONOTONIC, &deadline);
    } while (result < 0 && errno == EINTR);
    if (result == 0) return atomic_load(&stage) == ANSWERED;
    int expected = REQUESTED;
    if (atomic_compare_exchange_strong(&stage, &expected, IDLE)) return false;
    // The handler has begun after all.
    while (sem_wait(&answered) < 0 && errno == EINTR) {
    }
    return atomic_load(&stage) == ANSWERED;
}

/// Copies what the thread was doing, without the handler's own frames.
static int copy_frames(uintptr_t *addresses, int capacity) {
    int first = 0;
    while (first < frame_count && (uintptr_t)frames[first] != interrupted_at) first++;
    if (first == frame_count) first = 0;
    int count = frame_count - first < capacity ? frame_count - first : capacity;
    for (int index = 0; index < count; index++) addresses[index] = (uintptr_t)frames[first + index];
    return count;
}

int bt_capture(pthread_t thread, uintptr_t *addresses, int capacity, uint64_t *nanoseconds) {
    pthread_mutex_lock(&capturing);
    int count = 0;
    atomic_store(&target, thread);
    atomic_store(&stage, REQUESTED);
    if (pthread_kill(thread, SIGNAL) != 0) {
        atomic_store(&stage, IDLE);
    } else if (is_answered()) {
        count = copy_frames(addresses, capacity);
        *nanoseconds = taken_at;
        atomic_store(&stage, IDLE);
    }
    pthread_mutex_unlock(&capturing);
    return count;
}
