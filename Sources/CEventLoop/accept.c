#define _GNU_SOURCE

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>

#include "CEventLoop.h"

int el_fd_accept(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return fd < 0 ? -errno : fd;
}
