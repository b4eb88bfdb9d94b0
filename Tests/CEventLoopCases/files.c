// Files that never block, which epoll refuses: always ready, as poll(2) has it, and never greedy.
#define _GNU_SOURCE

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>

#include "support.h"

static int open_file(void) { return open("/proc/self/exe", O_RDONLY | O_CLOEXEC); }
static int open_null(void) { return open("/dev/null", O_RDWR | O_CLOEXEC); }

CASE(file_is_ready_at_every_wait_and_none_blocks) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    int file = open_file(), null = open_null(), directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int fds[] = {file, null, directory};
    for (int i = 0; i < 3; i++) {
        EXPECT(el_fd_add(loop, fds[i], EL_READ, EL_LEVEL, 1) == 0);
        for (int round = 0; round < 5; round++) {
            EXPECT(gives_only(loop, 1, EL_READY_READ));
            el_event event;
            EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1 && event.token == 1);
        }
        el_loop_check(loop);
        EXPECT(el_fd_remove(loop, fds[i]) == 0);
        EXPECT(el_fd_remove(loop, fds[i]) == -ENOENT);
        EXPECT(is_quiet(loop));
    }
    el_loop_destroy(loop);
    for (int i = 0; i < 3; i++) close(fds[i]);
}

CASE(file_is_ready_for_its_interest) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int null = open_null();
    EXPECT(el_fd_add(loop, null, EL_READ | EL_WRITE, EL_LEVEL, 1) == 0);
    EXPECT(gives_only(loop, 1, EL_READY_READ | EL_READY_WRITE));
    EXPECT(el_fd_modify(loop, null, EL_WRITE | EL_PRIORITY, EL_LEVEL, 2) == 0);
    EXPECT(gives_only(loop, 2, EL_READY_WRITE));
    EXPECT(el_fd_modify(loop, null, EL_PRIORITY, EL_LEVEL, 3) == 0);
    EXPECT(is_quiet(loop));
    EXPECT(el_fd_modify(loop, null, 0, EL_LEVEL, 4) == 0);
    EXPECT(is_quiet(loop));
    el_loop_check(loop);
    EXPECT(el_fd_modify(loop, null, EL_READ, EL_LEVEL, 5) == 0);
    EXPECT(gives_only(loop, 5, EL_READY_READ));
    el_loop_destroy(loop);
    close(null);
}

CASE(file_without_interest_is_silent_until_modified) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int file = open_file();
    EXPECT(el_fd_add(loop, file, 0, EL_EDGE, 1) == 0);
    EXPECT(is_quiet(loop));
    EXPECT(el_fd_modify(loop, file, EL_READ, EL_EDGE, 2) == 0);
    EXPECT(gives_only(loop, 2, EL_READY_READ));
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
    close(file);
}

CASE(file_with_edges_or_one_shot_is_reported_once_for_each_call) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    const el_mode modes[] = {EL_EDGE, EL_ONE_SHOT};
    int file = open_file();
    for (int i = 0; i < 2; i++) {
        EXPECT(el_fd_add(loop, file, EL_READ, modes[i], 1) == 0);
        EXPECT(gives_only(loop, 1, EL_READY_READ));
        EXPECT(is_quiet(loop));
        for (uint64_t token = 2; token < 5; token++) {
            EXPECT(el_fd_modify(loop, file, EL_READ, modes[i], token) == 0);
            EXPECT(el_fd_modify(loop, file, EL_READ, modes[i], token) == 0); // twice is once
            EXPECT(gives_only(loop, token, EL_READY_READ));
            EXPECT(is_quiet(loop));
        }
        EXPECT(el_fd_remove(loop, file) == 0);
    }
    el_loop_destroy(loop);
    close(file);
}

CASE(file_removed_before_its_report_is_not_reported) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int file = open_file(), null = open_null();
    EXPECT(el_fd_add(loop, file, EL_READ, EL_EDGE, 1) == 0);
    EXPECT(el_fd_add(loop, null, EL_READ, EL_EDGE, 2) == 0);
    EXPECT(el_fd_remove(loop, file) == 0);
    EXPECT(gives_only(loop, 2, EL_READY_READ));
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
    close(file);
    close(null);
}

CASE(files_and_other_descriptors_share_every_capacity) {
    enum { FILES = 10, OTHERS = 10 };
    for (int capacity = 1; capacity <= 25; capacity++) {
        el_loop *loop = make_loop(EL_CLOCK_MANUAL);
        int fds[FILES + OTHERS], seen[FILES + OTHERS] = {0}, total = 0;
        for (int i = 0; i < FILES + OTHERS; i++) {
            fds[i] = i < FILES ? open_null() : make_ready();
            EXPECT(el_fd_add(loop, fds[i], EL_READ, EL_LEVEL, (uint64_t)i) == 0);
        }
        el_event events[25];
        for (int round = 0; round < 200; round++) {
            bool in_batch[FILES + OTHERS] = {false};
            int count = poll_loop(loop, events, capacity);
            EXPECT(count == (capacity < FILES + OTHERS ? capacity : FILES + OTHERS));
            for (int i = 0; i < count; i++) {
                EXPECT(!in_batch[events[i].token]);
                in_batch[events[i].token] = true;
                seen[events[i].token]++;
            }
            total += count;
        }
        // Each has its turn: nobody has less than half of an equal share.
        for (int i = 0; i < FILES + OTHERS; i++) EXPECT(seen[i] >= total / (FILES + OTHERS) / 2);
        el_loop_check(loop);
        el_loop_destroy(loop);
        for (int i = 0; i < FILES + OTHERS; i++) close(fds[i]);
    }
}

CASE(files_do_not_starve_wakes_timers_and_signals) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int fds[8], kinds[6] = {0};
    for (int i = 0; i < 8; i++) {
        fds[i] = open_null();
        EXPECT(el_fd_add(loop, fds[i], EL_READ, EL_LEVEL, (uint64_t)i) == 0);
    }
    EXPECT(el_signal_add(loop, SIGUSR1, 1) == 0);
    el_event event;
    for (int round = 0; round < 10; round++) {
        el_timer_start(loop, 0, 2);
        el_loop_wake(loop);
        raise(SIGUSR1);
        for (int i = 0; i < 12; i++) {
            EXPECT(poll_loop(loop, &event, 1) == 1);
            kinds[event.kind]++;
        }
    }
    EXPECT(kinds[EL_EVENT_TIMER] == 10 && kinds[EL_EVENT_WAKE] == 10 && kinds[EL_EVENT_SIGNAL] == 10);
    el_loop_destroy(loop);
    for (int i = 0; i < 8; i++) close(fds[i]);
}

CASE(files_more_than_one_batch_are_all_reported) {
    enum { FILES = 900 };
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    static int fds[FILES], seen[FILES];
    static el_event events[2 * FILES];
    int opened = 0, count;
    while (opened < FILES && (fds[opened] = open_null()) >= 0) opened++;
    for (int i = 0; i < opened; i++) EXPECT(el_fd_add(loop, fds[i], EL_READ, EL_EDGE, (uint64_t)i) == 0);
    while ((count = poll_loop(loop, events, 2 * FILES)) > 0) {
        for (int i = 0; i < count; i++) seen[events[i].token]++;
    }
    for (int i = 0; i < opened; i++) EXPECT(seen[i] == 1);
    el_loop_destroy(loop);
    for (int i = 0; i < opened; i++) close(fds[i]);
    if (opened < FILES) SKIP("the limit on open files is below 1,000");
}

CASE(file_makes_arming_say_that_there_is_work) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    int file = open_file();
    EXPECT(el_loop_arm(loop) == 0);
    EXPECT(el_fd_add(loop, file, EL_READ, EL_ONE_SHOT, 1) == 0);
    EXPECT(el_loop_arm(loop) == 1);
    EXPECT(gives_only(loop, 1, EL_READY_READ));
    EXPECT(el_loop_arm(loop) == 0);
    el_loop_destroy(loop);
    close(file);
}

CASE(file_closed_before_remove_is_ebadf_and_forgotten) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int file = open_file();
    EXPECT(el_fd_add(loop, file, EL_READ, EL_LEVEL, 1) == 0);
    close(file);
    EXPECT(el_fd_modify(loop, file, EL_READ, EL_LEVEL, 2) == -EBADF);
    EXPECT(el_fd_remove(loop, file) == -EBADF);
    EXPECT(el_fd_remove(loop, file) == -ENOENT);
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
}

CASE(file_whose_number_names_another_by_now_is_not_taken_for_it) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int file = open_file();
    EXPECT(el_fd_add(loop, file, EL_READ, EL_EDGE, 1) == 0);
    EXPECT(gives_only(loop, 1, EL_READY_READ));
    close(file);
    EXPECT(make_ready() == file);
    EXPECT(el_fd_modify(loop, file, EL_READ, EL_EDGE, 2) == -ENOENT);
    EXPECT(el_fd_add(loop, file, EL_READ, EL_EDGE, 3) == 0); // a file becomes a descriptor …
    EXPECT(gives_only(loop, 3, EL_READY_READ));
    EXPECT(is_quiet(loop));
    close(file);
    EXPECT(open_file() == file);
    EXPECT(el_fd_add(loop, file, EL_READ, EL_LEVEL, 4) == 0); // … and a descriptor a file
    EXPECT(gives_only(loop, 4, EL_READY_READ));
    el_loop_check(loop);
    EXPECT(el_fd_remove(loop, file) == 0);
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
    close(file);
}

CASE(file_added_again_replaces_the_registration) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int file = open_file();
    EXPECT(el_fd_add(loop, file, EL_READ, EL_LEVEL, 1) == 0);
    EXPECT(el_fd_add(loop, file, EL_WRITE, EL_EDGE, 2) == 0);
    EXPECT(gives_only(loop, 2, EL_READY_WRITE));
    EXPECT(is_quiet(loop));
    EXPECT(el_fd_add(loop, file, EL_READ, EL_LEVEL, 3) == 0);
    EXPECT(el_fd_add(loop, file, 0, EL_LEVEL, 4) == 0);
    EXPECT(is_quiet(loop));
    el_loop_check(loop);
    el_loop_destroy(loop);
    close(file);
}

CASE(file_that_cannot_be_asked_for_is_still_an_error) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int path = open("/", O_PATH | O_CLOEXEC), file = open_file();
    EXPECT(el_fd_add(loop, path, EL_READ, EL_LEVEL, 1) == -EBADF); // a place, nothing to read
    EXPECT(el_fd_add(loop, file, (el_interest)8, EL_LEVEL, 1) == -EINVAL);
    EXPECT(el_fd_add(loop, file, EL_READ, EL_LEVEL, 1) == 0);
    EXPECT(el_fd_modify(loop, file, EL_READ, (el_mode)3, 1) == -EINVAL);
    el_loop_destroy(loop);
    close(path);
    close(file);
}

CASE(file_is_still_ready_after_a_rebuilt_set) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int file = open_file(), fd = make_ready();
    EXPECT(el_fd_add(loop, file, EL_READ, EL_LEVEL, 1) == 0);
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_LEVEL, 666) == 0);
    int duplicate = dup(fd);
    close(fd);
    EXPECT(el_fd_remove(loop, fd) == -EBADF);
    for (int i = 0; i < 4; i++) EXPECT(gives_only(loop, 1, EL_READY_READ));
    el_loop_destroy(loop);
    close(duplicate);
    close(file);
}

CASE(files_come_and_go_in_any_order) {
    enum { FILES = 40, STEPS = 20000 };
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    int fds[FILES];
    bool is_watched[FILES] = {false};
    for (int i = 0; i < FILES; i++) fds[i] = open_null();
    srand(7);
    el_event events[FILES + 1];
    for (int step = 0; step < STEPS; step++) {
        int i = rand() % FILES;
        if (is_watched[i]) {
            EXPECT(el_fd_remove(loop, fds[i]) == 0);
        } else {
            EXPECT(el_fd_add(loop, fds[i], EL_WRITE, EL_LEVEL, (uint64_t)i) == 0);
        }
        is_watched[i] = !is_watched[i];
        if (step % 16 != 0) continue;
        el_loop_check(loop);
        int expected = 0, count = poll_loop(loop, events, FILES + 1);
        for (int j = 0; j < FILES; j++) expected += is_watched[j];
        EXPECT(count == expected);
        for (int j = 0; j < count; j++) EXPECT(is_watched[events[j].token]);
    }
    el_loop_destroy(loop);
    for (int i = 0; i < FILES; i++) close(fds[i]);
}
