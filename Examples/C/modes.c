/// How often a descriptor is reported: level, edge, one-shot. The same three bytes, read one at a time, make
/// a report for each byte, one report, or one until more is asked for.
#define _POSIX_C_SOURCE 200809L

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <CEventLoop.h>

/// Takes one byte at each report, and counts the reports.
static int reports(el_loop *loop, int fd) {
    int count = 0;
    el_event event;
    char byte;
    while (el_loop_wait(loop, 0, &event, 1) == 1) {
        if (event.kind != EL_EVENT_FD || !(event.ready & EL_READY_READ)) return -1;
        count++;
        if (read(fd, &byte, 1) < 0) return -1;
    }
    return count;
}

/// What edge-triggered asks for: all there is, until EAGAIN or, as here, until a short count.
static ssize_t read_all(int fd) {
    char buffer[64];
    ssize_t total = 0, count;
    do {
        count = read(fd, buffer, sizeof buffer);
        if (count > 0) total += count;
    } while (count == sizeof buffer);
    return total;
}

int main(void) {
    el_loop *loop;
    int ends[2];
    if (el_loop_create(EL_CLOCK_MONOTONIC, &loop) < 0 || pipe(ends) < 0) return 1;
    int fd = ends[0];
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0) return 1;

    if (write(ends[1], "abc", 3) != 3) return 1;
    if (el_fd_add(loop, fd, EL_READ, EL_LEVEL, 7) < 0) return 1;
    int level = reports(loop, fd);

    if (write(ends[1], "abc", 3) != 3) return 1;
    if (el_fd_modify(loop, fd, EL_READ, EL_EDGE, 7) < 0) return 1;
    int edge = reports(loop, fd);
    ssize_t left = read_all(fd);

    if (write(ends[1], "abc", 3) != 3) return 1;
    if (el_fd_modify(loop, fd, EL_READ, EL_ONE_SHOT, 7) < 0) return 1;
    int once = reports(loop, fd);
    if (el_fd_modify(loop, fd, EL_READ, EL_ONE_SHOT, 7) < 0) return 1;
    int again = reports(loop, fd);

    el_fd_remove(loop, fd); // before close
    close(fd);
    close(ends[1]);
    el_loop_destroy(loop);
    printf("level: %d reports; edge: %d, and %zd bytes left to read at once; one-shot: %d, then %d more\n",
           level, edge, left, once, again);
    return level == 3 && edge == 1 && left == 2 && once == 1 && again == 1 ? 0 : 1;
}
