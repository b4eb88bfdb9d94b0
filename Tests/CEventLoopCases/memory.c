// When there is no memory: an error, and everything as it was.
#define _GNU_SOURCE

#include <fcntl.h>
#include <signal.h>

#include "support.h"

// A table that reaches this number is too large for what the allocator still has at hand.
enum { HIGH = 9000 };

CASE(descriptor_without_memory_is_enomem_and_not_watched) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int low = make_ready(), high = fcntl(low, F_DUPFD_CLOEXEC, HIGH);
    if (high < 0) {
        close(low);
        el_loop_destroy(loop);
        SKIP("the limit on open files is below 9,000");
    }
    struct rlimit old;
    if (stop_memory(&old)) {
        EXPECT(el_fd_add(loop, high, EL_READ, EL_LEVEL, 1) == -ENOMEM);
        EXPECT(el_fd_remove(loop, high) == -ENOENT);
        EXPECT(poll_loop(loop, &(el_event){0}, 1) == 0);
        restore_memory(old);
    }
    EXPECT(el_fd_add(loop, high, EL_READ, EL_LEVEL, 1) == 0);
    EXPECT(gives_only(loop, 1, EL_READY_READ));
    el_loop_destroy(loop);
    close(low);
    close(high);
}

CASE(file_without_memory_is_enomem_and_not_watched) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int low = open("/dev/null", O_RDWR | O_CLOEXEC), high = fcntl(low, F_DUPFD_CLOEXEC, HIGH);
    if (high < 0) {
        close(low);
        el_loop_destroy(loop);
        SKIP("the limit on open files is below 9,000");
    }
    struct rlimit old;
    if (stop_memory(&old)) {
        EXPECT(el_fd_add(loop, high, EL_READ, EL_LEVEL, 1) == -ENOMEM);
        EXPECT(el_fd_remove(loop, high) == -ENOENT);
        EXPECT(poll_loop(loop, &(el_event){0}, 1) == 0);
        restore_memory(old);
    }
    EXPECT(el_fd_add(loop, high, EL_READ, EL_LEVEL, 1) == 0);
    EXPECT(gives_only(loop, 1, EL_READY_READ));
    el_loop_destroy(loop);
    close(low);
    close(high);
}

CASE(signal_without_memory_is_enomem_and_changes_nothing) {
    static int fillers[HIGH];
    int filler_count = 0;
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int fd = make_ready(); // the signalfd gets the first number that is free behind these
    while (filler_count < HIGH && (fillers[filler_count] = dup(fd)) >= 0) filler_count++;
    if (filler_count < HIGH) close(fillers[--filler_count]); // a low limit leaves no number otherwise
    struct rlimit old;
    if (filler_count == HIGH && stop_memory(&old)) {
        for (int i = 0; i < 2; i++) EXPECT(el_signal_add(loop, SIGUSR1, 1) == -ENOMEM);
        EXPECT(el_signal_remove(loop, SIGUSR1) == -ENOENT);
        restore_memory(old);
    }
    EXPECT(el_signal_add(loop, SIGUSR1, 1) == 0);
    raise(SIGUSR1);
    el_event event;
    EXPECT(poll_loop(loop, &event, 1) == 1 && event.kind == EL_EVENT_SIGNAL);
    el_loop_destroy(loop);
    for (int i = 0; i < filler_count; i++) close(fillers[i]);
    close(fd);
}

CASE(timer_without_memory_is_no_timer_and_spares_the_others) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    struct rlimit old;
    if (!stop_memory(&old)) {
        el_loop_destroy(loop);
        SKIP("a sanitizer cannot do without memory");
    }
    uint64_t started = 0;
    while (started < 1000000 && el_timer_start(loop, started, started) != 0) started++;
    EXPECT(el_timer_start(loop, 0, 0) == 0);
    EXPECT(el_timer_count(loop) == started);
    el_loop_check(loop);
    restore_memory(old);
    EXPECT(el_timer_start(loop, started, started) != 0);
    EXPECT(el_clock_advance(loop, started) == 0);
    el_event event;
    for (uint64_t i = 0; i <= started; i++) EXPECT(poll_loop(loop, &event, 1) == 1 && event.token == i);
    EXPECT(el_timer_count(loop) == 0);
    el_loop_destroy(loop);
}
