/// A file of one's own in the place of one that is shared with the parent of a forked process.
#ifndef EL_RENEW_H
#define EL_RENEW_H

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/// Puts the file that was just opened as `fresh_fd` under the number `fd`, close-on-exec, and gives its first
/// number back. `fresh_fd` may be the -1 of a failed call. Returns 0, or -errno: then `fd` is what it was.
static inline int renew(int fd, int fresh_fd) {
    if (fresh_fd < 0) return -errno;
    if (fresh_fd == fd) return 0; // the number had been closed
    int result;
    do {
        result = dup3(fresh_fd, fd, O_CLOEXEC);
    } while (result < 0 && errno == EINTR);
    result = result < 0 ? -errno : 0;
    close(fresh_fd);
    return result;
}

#endif
