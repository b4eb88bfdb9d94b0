#define _GNU_SOURCE

#include "wake.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "renew.h"

// No wake is lost. A ringer stores its message, then sets is_ringing, and writes to the eventfd if the flag
// was clear. The loop, once the eventfd is readable, empties it, then clears the flag, then reports the
// wake, and only then does its caller look for messages. To show: after each ringer's setting, the loop
// clears the flag once more, and reports.
//
// - The flag was clear: the ringer writes, so the eventfd is readable until the loop empties it, and the
//   clearing follows. The kernel's lock on the eventfd puts that after the setting.
// - The flag was set: the loop's last clearing came before some other ringer's setting, and that ringer's
//   write is still to come, still to be read, or has been read with its clearing still to come. All three
//   end in a clearing, which comes after our setting, since ours found the flag not cleared yet.
//
// Each setting and each clearing is an exchange with acquire and release, so a clearing takes over what all
// the settings before it have published: the messages. (A write that comes late, after a clearing that an
// earlier one had caused, costs a wake with nothing new, no more.)
//
// A ringer whose write fails takes the flag back, or every later one would rely on a write that never
// was. Those that relied on it meanwhile go unheard until then, which is what its error says.
//
// When the loop is destroyed with rings unheard, they are forgotten; no ringer may be in here by then.
// (The GCC builtins instead of <stdatomic.h> keep the struct plain, so that C++ could read this header.)

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
