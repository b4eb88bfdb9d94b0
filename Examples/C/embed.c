/// A loop within a loop: the program's own loop is poll(2), and ours is one descriptor among those it
/// watches. Any loop that can watch a descriptor can do the same (GLib, Qt, libuv, another el_loop).
#define _POSIX_C_SOURCE 200809L

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include <CEventLoop.h>

enum { TICK = 1, TICKS = 5, TICK_NS = 10000000 };

int main(void) {
    el_loop *loop;
    if (el_loop_create(EL_CLOCK_MONOTONIC, &loop) < 0) return 1;
    int loop_fd = el_loop_fd(loop);
    int foreign[2]; // what the foreign loop watches besides us
    if (loop_fd < 0 || pipe(foreign) < 0) return 1;

    uint64_t next_ns = el_loop_now(loop) + TICK_NS;
    el_timer_start(loop, next_ns, TICK);

    int ticks = 0, answers = 0;
    while (answers < TICKS) {
        struct pollfd fds[] = {{.fd = loop_fd, .events = POLLIN}, {.fd = foreign[0], .events = POLLIN}};
        int armed = el_loop_arm(loop);
        if (armed < 0 || poll(fds, 2, armed == 1 ? 0 : -1) < 0) break;

        // Ours: whatever poll said, look without waiting.
        el_event events[16];
        int count = el_loop_wait(loop, 0, events, 16);
        for (int i = 0; i < count; i++) {
            if (events[i].kind != EL_EVENT_TIMER) continue;
            ticks++;
            if (ticks < TICKS) el_timer_start(loop, next_ns += TICK_NS, TICK);
            if (write(foreign[1], "!", 1) != 1) return 1;
        }
        // Theirs.
        char byte;
        if ((fds[1].revents & POLLIN) && read(foreign[0], &byte, 1) == 1) {
            answers++;
            printf("tick %d, seen by the foreign loop\n", answers);
        }
    }
    close(foreign[0]);
    close(foreign[1]);
    el_loop_destroy(loop);
    return ticks == TICKS && answers == TICKS ? 0 : 1;
}
