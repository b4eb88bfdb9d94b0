#define _GNU_SOURCE

#include "signals.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "renew.h"

void signals_open(struct signals *signals) {
    signals->signal_fd = -1;
    sigemptyset(&signals->ours);
    sigemptyset(&signals->blocked_before);
}

static bool is_ours(const struct signals *signals, int number) {
    return number > 0 && number < SIGNALS_END && sigismember(&signals->ours, number) == 1;
}

/// Ours no more: the thread's mask is what it was.
static void release(struct signals *signals, int number) {
    sigdelset(&signals->ours, number);
    if (sigismember(&signals->blocked_before, number) == 1) {
        sigdelset(&signals->blocked_before, number);
        return;
    }
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    pthread_sigmask(SIG_UNBLOCK, &one, NULL);
}

void signals_close(struct signals *signals) {
    if (signals->signal_fd < 0) return;
    // Its mask is left alone: a forked child shares the file, and so would change what its parent hears.
    close(signals->signal_fd);
    signals->signal_fd = -1;
    for (int number = 1; number < SIGNALS_END; number++) {
        if (is_ours(signals, number)) release(signals, number);
    }
}

int signals_fork(struct signals *signals) {
    if (signals->signal_fd < 0) return 0;
    int result = renew(signals->signal_fd, signalfd(-1, &signals->ours, SFD_NONBLOCK | SFD_CLOEXEC));
    if (result < 0) return result;
    pthread_sigmask(SIG_BLOCK, &signals->ours, NULL); // another thread than the loop's may have forked
    return 0;
}

int signals_add(struct signals *signals, int number, uint64_t token) {
    if (number <= 0 || number >= SIGNALS_END || number == SIGKILL || number == SIGSTOP) return -EINVAL;
    if (is_ours(signals, number)) return -EEXIST;
    sigset_t wanted = signals->ours, one, before;
    if (sigaddset(&wanted, number) < 0) return -EINVAL; // glibc keeps two for itself
    // Blocked first: one that arrives before the signalfd is there to read it stays pending until it is.
    sigemptyset(&one);
    sigaddset(&one, number);
    int error = pthread_sigmask(SIG_BLOCK, &one, &before);
    if (error != 0) return -error;
    int signal_fd = signalfd(signals->signal_fd, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
    if (signal_fd < 0) {
        int result = -errno;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return result;
    }
    signals->signal_fd = signal_fd;
    signals->ours = wanted;
    signals->tokens[number] = token;
    if (sigismember(&before, number) == 1) sigaddset(&signals->blocked_before, number);
    return 0;
}

int signals_remove(struct signals *signals, int number) {
    if (!is_ours(signals, number)) return -ENOENT;
    sigset_t kept = signals->ours;
    sigdelset(&kept, number);
    if (signalfd(signals->signal_fd, &kept, 0) < 0) return -errno;
    release(signals, number);
    return 0;
}

int signals_take(struct signals *signals, uint64_t *token) {
    struct signalfd_siginfo info;
    ssize_t count;
    do {
        count = read(signals->signal_fd, &info, sizeof info);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return errno == EAGAIN ? 0 : -errno;
    *token = signals->tokens[info.ssi_signo];
    return (int)info.ssi_signo;
}
