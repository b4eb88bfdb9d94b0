#define _GNU_SOURCE

#include "wake.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "renew.h"

// No wake is lost. A ringer stores its message, then sets is_ringing. If the flag was clear, it writes
// to the eventfd, and the loop will clear the bell after that write. If the flag was set, some ringer's
// write is still to be cleared: the loop first empties the eventfd, then clears the flag, then reports
// the wake, and only then does its caller look for messages. So whoever found the flag set did so
// before it was cleared, and its message was stored before that look. The flag is exchanged with
// acquire and release in both places, which carries the message along.
//
// Between emptying and clearing, a ringer that finds the flag set writes nothing, and is seen all the
// same. After the clearing, the next ringer writes again. A ringer whose write fails takes the flag back,
// or every later one would rely on a write that never was; those that relied on it meanwhile go unheard,
// which is what its error says. (The GCC builtins instead of <stdatomic.h> keep the struct plain, so that
// C++ could read this header.)

int wake_open(struct wake *wake) {
    wake->is_ringing = 0;
    wake->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return wake->event_fd < 0 ? -errno : 0;
}

void wake_close(struct wake *wake) { close(wake->event_fd); }

int wake_fork(struct wake *wake) {
    // The flag decides, not the parent's eventfd: its ringer may have come to the one and not to the other,
    // and is not there any more to go on.
    return renew(wake->event_fd, eventfd(wake->is_ringing, EFD_NONBLOCK | EFD_CLOEXEC));
}

int wake_ring(struct wake *wake) {
    if (__atomic_exchange_n(&wake->is_ringing, 1, __ATOMIC_ACQ_REL) != 0) return 0;
    int saved_errno = errno; // a signal handler must leave it alone
    uint64_t one = 1;
    ssize_t written;
    do {
        written = write(wake->event_fd, &one, sizeof one);
    } while (written < 0 && errno == EINTR);
    // EAGAIN: the counter is full, so it is readable, and the loop will come.
    int result = written < 0 && errno != EAGAIN ? -errno : 0;
    if (result < 0) __atomic_store_n(&wake->is_ringing, 0, __ATOMIC_RELEASE);
    errno = saved_errno;
    return result;
}

void wake_clear(struct wake *wake) {
    uint64_t count;
    ssize_t read_count;
    do {
        read_count = read(wake->event_fd, &count, sizeof count);
    } while (read_count < 0 && errno == EINTR);
    __atomic_exchange_n(&wake->is_ringing, 0, __ATOMIC_ACQ_REL);
}
