// Child processes as events: each end once, with its status, and nobody else's child touched.
#define _GNU_SOURCE

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "support.h"

/// Whether this kernel has what el_child_add needs.
static bool has_pidfds(void) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    el_child child;
    int result = el_child_add(loop, getpid(), 0, &child);
    el_loop_destroy(loop);
    return result == 0;
}

#define NEED_PIDFDS()                                                                                        \
    do {                                                                                                     \
        if (!has_pidfds()) SKIP("this kernel cannot wait for a pidfd");                                      \
    } while (0)

static pid_t start_exiting(int code) {
    pid_t pid = fork();
    if (pid == 0) _exit(code);
    return pid;
}

static pid_t start_pausing(void) {
    pid_t pid = fork();
    while (pid == 0) pause();
    return pid;
}

/// Until it has ended, and leaves its status where it is.
static bool has_ended(pid_t pid) {
    siginfo_t info;
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0;
}

static bool gives_child(el_loop *loop, uint64_t token, uint32_t status) {
    el_event event;
    return el_loop_wait(loop, EL_NEVER, &event, 1) == 1 && event.kind == EL_EVENT_CHILD &&
           event.token == token && event.ready == status;
}

CASE(child_that_exits_is_reported_with_its_code) {
    NEED_PIDFDS();
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    const int codes[] = {0, 1, 7, 127, 255};
    for (uint64_t i = 0; i < 5; i++) {
        el_child child;
        EXPECT(el_child_add(loop, start_exiting(codes[i]), i, &child) == 0 && child != 0);
        el_event event;
        EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1);
        EXPECT(event.kind == EL_EVENT_CHILD && event.token == i);
        EXPECT(WIFEXITED((int)event.ready) && WEXITSTATUS((int)event.ready) == codes[i]);
        EXPECT(is_quiet(loop));
    }
    el_loop_check(loop);
    el_loop_destroy(loop);
}

CASE(child_that_a_signal_ends_is_reported_with_its_number) {
    NEED_PIDFDS();
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    const int numbers[] = {SIGKILL, SIGTERM, SIGUSR1};
    for (uint64_t i = 0; i < 3; i++) {
        el_child child;
        EXPECT(el_child_add(loop, start_pausing(), i, &child) == 0);
        EXPECT(is_quiet(loop));
        EXPECT(el_child_signal(loop, child, numbers[i]) == 0);
        el_event event;
        EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1 && event.token == i);
        EXPECT(WIFSIGNALED((int)event.ready) && WTERMSIG((int)event.ready) == numbers[i]);
    }
    el_loop_destroy(loop);
}

CASE(child_that_ended_before_the_watch_is_reported) {
    NEED_PIDFDS();
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    pid_t pid = start_exiting(3);
    EXPECT(has_ended(pid));
    el_child child;
    EXPECT(el_child_add(loop, pid, 1, &child) == 0);
    EXPECT(gives_child(loop, 1, 3 << 8));
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
}

CASE(child_status_is_taken_exactly_once) {
    NEED_PIDFDS();
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    pid_t pid = start_exiting(3);
    el_child child;
    EXPECT(el_child_add(loop, pid, 1, &child) == 0);
    EXPECT(has_ended(pid)); // before the event, all others can still look at it
    EXPECT(gives_child(loop, 1, 3 << 8));
    EXPECT(waitpid(pid, NULL, WNOHANG) == -1 && errno == ECHILD);
    EXPECT(el_child_remove(loop, child) == -ENOENT);
    EXPECT(el_child_signal(loop, child, 0) == -ENOENT);
    el_loop_destroy(loop);
}

CASE(children_of_others_keep_their_status) {
    NEED_PIDFDS();
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    pid_t theirs = start_exiting(4), ours = start_exiting(5);
    EXPECT(has_ended(theirs) && has_ended(ours));
    el_child child;
    EXPECT(el_child_add(loop, ours, 1, &child) == 0);
    EXPECT(gives_child(loop, 1, 5 << 8));
    int status;
    EXPECT(waitpid(-1, &status, 0) == theirs && WEXITSTATUS(status) == 4);
    EXPECT(waitpid(-1, &status, 0) == -1);
    el_loop_destroy(loop);
}

CASE(children_by_the_hundred_are_each_reported_once) {
    NEED_PIDFDS();
    enum { CHILDREN = 200 };
    const int capacities[] = {1, 7, MANY};
    for (int c = 0; c < 3; c++) {
        el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
        int seen[CHILDREN] = {0}, reported = 0;
        for (uint64_t i = 0; i < CHILDREN; i++) {
            el_child child;
            EXPECT(el_child_add(loop, start_exiting((int)i), i, &child) == 0);
        }
        el_event events[MANY];
        while (reported < CHILDREN) {
            int count = el_loop_wait(loop, EL_NEVER, events, capacities[c]);
            EXPECT(count > 0 && count <= capacities[c]);
            for (int i = 0; i < count; i++) {
                EXPECT(events[i].kind == EL_EVENT_CHILD && events[i].token < CHILDREN);
                EXPECT(events[i].ready == (uint32_t)events[i].token << 8);
                seen[events[i].token]++;
            }
            reported += count;
            el_loop_check(loop);
        }
        for (int i = 0; i < CHILDREN; i++) EXPECT(seen[i] == 1);
        EXPECT(is_quiet(loop));
        EXPECT(waitpid(-1, NULL, WNOHANG) == -1); // no zombie is left
        el_loop_destroy(loop);
    }
}

CASE(child_is_reported_beside_busy_descriptors_and_timers) {
    NEED_PIDFDS();
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    int fd = make_ready(), seen = 0;
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_LEVEL, 1) == 0);
    pid_t pid = start_exiting(0);
    EXPECT(has_ended(pid));
    el_child child;
    EXPECT(el_child_add(loop, pid, 2, &child) == 0);
    el_event event;
    for (int i = 0; i < 9; i++) {
        el_timer_start(loop, 0, 3);
        EXPECT(poll_loop(loop, &event, 1) == 1);
        seen += event.kind == EL_EVENT_CHILD;
    }
    EXPECT(seen == 1);
    el_loop_destroy(loop);
    close(fd);
}

CASE(child_that_ends_with_sigchld_ignored_has_an_unknown_status) {
    NEED_PIDFDS();
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    signal(SIGCHLD, SIG_IGN);
    el_child child;
    EXPECT(el_child_add(loop, start_pausing(), 1, &child) == 0);
    EXPECT(el_child_signal(loop, child, SIGKILL) == 0);
    EXPECT(gives_child(loop, 1, EL_CHILD_STATUS_UNKNOWN));
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
}

CASE(child_that_somebody_else_waited_for_has_an_unknown_status) {
    NEED_PIDFDS();
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    pid_t pid = start_pausing();
    el_child child;
    EXPECT(el_child_add(loop, pid, 1, &child) == 0);
    kill(pid, SIGKILL);
    EXPECT(waitpid(pid, NULL, 0) == pid);
    EXPECT(el_child_signal(loop, child, SIGKILL) == -ESRCH); // whoever has the pid now is safe
    EXPECT(gives_child(loop, 1, EL_CHILD_STATUS_UNKNOWN));
    el_loop_destroy(loop);
}

CASE(child_watched_twice_is_reported_twice_and_its_status_once) {
    NEED_PIDFDS();
    el_loop *first = make_loop(EL_CLOCK_MONOTONIC), *second = make_loop(EL_CLOCK_MONOTONIC);
    pid_t pid = start_exiting(6);
    el_child child;
    EXPECT(el_child_add(first, pid, 1, &child) == 0);
    EXPECT(el_child_add(second, pid, 2, &child) == 0);
    EXPECT(gives_child(first, 1, 6 << 8));
    EXPECT(gives_child(second, 2, EL_CHILD_STATUS_UNKNOWN));
    el_loop_destroy(first);
    el_loop_destroy(second);
}

CASE(process_that_is_no_child_is_reported_with_an_unknown_status) {
    NEED_PIDFDS();
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    int ends[2];
    make_pair(ends);
    pid_t parent = fork();
    if (parent == 0) {
        pid_t grandchild = start_pausing();
        if (write(ends[1], &grandchild, sizeof grandchild) != sizeof grandchild) _exit(1);
        _exit(waitpid(grandchild, NULL, 0) != grandchild); // there is a status, and it is not ours
    }
    el_event event;
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_LEVEL, 9) == 0);
    EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1 && event.token == 9);
    EXPECT(el_fd_remove(loop, ends[0]) == 0);
    pid_t grandchild;
    EXPECT(read(ends[0], &grandchild, sizeof grandchild) == sizeof grandchild);
    el_child child;
    EXPECT(el_child_add(loop, grandchild, 1, &child) == 0);
    EXPECT(el_child_signal(loop, child, SIGTERM) == 0);
    EXPECT(gives_child(loop, 1, EL_CHILD_STATUS_UNKNOWN));
    EXPECT(child_held(parent));
    el_loop_destroy(loop);
    close_pair(ends);
}

CASE(child_and_sigchld_are_both_reported) {
    NEED_PIDFDS();
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    EXPECT(el_signal_add(loop, SIGCHLD, 1) == 0);
    pid_t pid = start_exiting(8);
    EXPECT(has_ended(pid));
    el_child child;
    EXPECT(el_child_add(loop, pid, 2, &child) == 0);
    el_event events[MANY];
    EXPECT(el_loop_wait(loop, EL_NEVER, events, MANY) == 2);
    EXPECT(events[0].kind == EL_EVENT_CHILD && events[0].ready == 8 << 8);
    EXPECT(events[1].kind == EL_EVENT_SIGNAL && events[1].ready == SIGCHLD);
    el_loop_destroy(loop);
}

CASE(child_that_only_stops_is_not_reported) {
    NEED_PIDFDS();
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    pid_t pid = start_pausing();
    el_child child;
    EXPECT(el_child_add(loop, pid, 1, &child) == 0);
    EXPECT(el_child_signal(loop, child, SIGSTOP) == 0);
    siginfo_t info;
    EXPECT(waitid(P_PID, (id_t)pid, &info, WSTOPPED) == 0);
    EXPECT(is_quiet(loop));
    EXPECT(el_child_signal(loop, child, SIGCONT) == 0);
    EXPECT(waitid(P_PID, (id_t)pid, &info, WCONTINUED) == 0);
    EXPECT(is_quiet(loop));
    EXPECT(el_child_signal(loop, child, SIGKILL) == 0);
    EXPECT(gives_child(loop, 1, SIGKILL));
    el_loop_destroy(loop);
}

static int to_last_thread[2];

static void *end_last(void *unused) {
    (void)unused;
    char byte;
    while (read(to_last_thread[0], &byte, 1) < 0) {
    }
    _exit(9);
}

CASE(child_is_reported_when_its_last_thread_has_ended) {
    NEED_PIDFDS();
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    EXPECT(pipe(to_last_thread) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, end_last, NULL) != 0) _exit(1);
        pthread_exit(NULL);
    }
    el_child child;
    EXPECT(el_child_add(loop, pid, 1, &child) == 0);
    el_event event;
    EXPECT(el_loop_wait(loop, el_loop_now(loop) + 5 * MILLISECOND, &event, 1) == 0);
    send_byte(to_last_thread[1]);
    EXPECT(gives_child(loop, 1, 9 << 8));
    el_loop_destroy(loop);
    close_pair(to_last_thread);
}

/// A debugger sees the end first. Until it has looked, there is a readable pidfd and no status.
CASE(child_held_by_a_debugger_is_reported_when_that_lets_go) {
    NEED_PIDFDS();
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    int ends[2];
    make_pair(ends);
    pid_t pid = start_pausing();
    pid_t debugger = fork();
    if (debugger == 0) {
        char byte;
        bool has_seized = ptrace(PTRACE_SEIZE, pid, 0, 0) == 0;
        if (write(ends[1], has_seized ? "y" : "n", 1) != 1 || !has_seized) _exit(0);
        while (read(ends[1], &byte, 1) < 1) {
        }
        _exit(waitpid(pid, NULL, __WALL) != pid);
    }
    el_event event;
    char has_seized = 0;
    EXPECT(el_fd_add(loop, ends[0], EL_READ, EL_LEVEL, 9) == 0);
    EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1 && event.token == 9);
    EXPECT(el_fd_remove(loop, ends[0]) == 0);
    EXPECT(read(ends[0], &has_seized, 1) == 1);
    el_child child;
    EXPECT(el_child_add(loop, pid, 1, &child) == 0);
    EXPECT(el_child_signal(loop, child, SIGKILL) == 0);
    if (has_seized == 'y') {
        EXPECT(el_loop_wait(loop, el_loop_now(loop) + 5 * MILLISECOND, &event, 1) == 0);
        EXPECT(is_quiet(loop)); // and no wait spins meanwhile
        send_byte(ends[0]);
    }
    EXPECT(gives_child(loop, 1, SIGKILL));
    EXPECT(child_held(debugger));
    el_loop_destroy(loop);
    close_pair(ends);
    if (has_seized != 'y') SKIP("no process may trace another here");
}

// MARK: - Removing, and names

CASE(child_removed_is_the_callers_to_wait_for) {
    NEED_PIDFDS();
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    el_child running, ended;
    pid_t running_pid = start_pausing(), ended_pid = start_exiting(2);
    EXPECT(el_child_add(loop, running_pid, 1, &running) == 0);
    EXPECT(el_child_add(loop, ended_pid, 2, &ended) == 0);
    EXPECT(has_ended(ended_pid));
    EXPECT(el_child_remove(loop, running) == 0);
    EXPECT(el_child_remove(loop, ended) == 0);
    EXPECT(el_child_remove(loop, ended) == -ENOENT);
    kill(running_pid, SIGTERM);
    int status;
    EXPECT(waitpid(running_pid, &status, 0) == running_pid && WTERMSIG(status) == SIGTERM);
    EXPECT(waitpid(ended_pid, &status, 0) == ended_pid && WEXITSTATUS(status) == 2);
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
}

CASE(children_of_a_destroyed_loop_are_the_callers_to_wait_for) {
    NEED_PIDFDS();
    int before = count_open_fds();
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    pid_t pids[20];
    for (int i = 0; i < 20; i++) {
        el_child child;
        pids[i] = start_pausing();
        EXPECT(el_child_add(loop, pids[i], 1, &child) == 0);
    }
    el_loop_destroy(loop);
    EXPECT(count_open_fds() == before);
    for (int i = 0; i < 20; i++) {
        kill(pids[i], SIGKILL);
        EXPECT(waitpid(pids[i], NULL, 0) == pids[i]);
    }
}

CASE(child_that_does_not_exist_is_an_error) {
    NEED_PIDFDS();
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    pid_t gone = start_exiting(0);
    EXPECT(waitpid(gone, NULL, 0) == gone);
    el_child child = 1;
    EXPECT(el_child_add(loop, gone, 1, &child) == -ESRCH);
    EXPECT(child == 0);
    EXPECT(el_child_add(loop, 0, 1, &child) == -EINVAL);
    EXPECT(el_child_add(loop, -1, 1, &child) == -EINVAL);
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
}

CASE(child_ids_that_are_stale_or_were_never_given_out_are_enoent) {
    NEED_PIDFDS();
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    pid_t pid = start_pausing();
    el_child stale, child;
    EXPECT(el_child_add(loop, pid, 1, &stale) == 0);
    EXPECT(el_child_remove(loop, stale) == 0);
    for (int i = 0; i < 100; i++) {
        EXPECT(el_child_add(loop, pid, 2, &child) == 0);
        EXPECT((uint32_t)child == (uint32_t)stale && child != stale);
        EXPECT(el_child_signal(loop, stale, SIGKILL) == -ENOENT);
        EXPECT(el_child_remove(loop, stale) == -ENOENT);
        EXPECT(el_child_remove(loop, child) == 0);
        stale = child;
    }
    const el_child garbage[] = {0, 1, 99, 7ull << 32 | 99, UINT64_MAX};
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        EXPECT(el_child_remove(loop, garbage[i]) == -ENOENT);
        EXPECT(el_child_signal(loop, garbage[i], 0) == -ENOENT);
    }
    el_loop_check(loop);
    kill(pid, SIGKILL);
    EXPECT(waitpid(pid, NULL, 0) == pid);
    el_loop_destroy(loop);
}

CASE(child_signal_says_what_is_wrong) {
    NEED_PIDFDS();
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    pid_t pid = start_pausing();
    el_child child;
    EXPECT(el_child_add(loop, pid, 1, &child) == 0);
    EXPECT(el_child_signal(loop, child, 0) == 0);
    EXPECT(el_child_signal(loop, child, 65) == -EINVAL);
    EXPECT(el_child_signal(loop, child, -1) == -EINVAL);
    EXPECT(el_child_signal(loop, child, SIGKILL) == 0);
    EXPECT(has_ended(pid));
    EXPECT(el_child_signal(loop, child, SIGKILL) == 0); // its end is still to be reported
    EXPECT(gives_child(loop, 1, SIGKILL));
    el_loop_destroy(loop);
}

CASE(child_without_a_free_descriptor_is_emfile_and_not_watched) {
    NEED_PIDFDS();
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    pid_t pid = start_exiting(1);
    el_child child;
    struct rlimit old = limit_free_fds(0);
    EXPECT(el_child_add(loop, pid, 1, &child) == -EMFILE);
    EXPECT(child == 0);
    restore_limit(old);
    EXPECT(el_child_add(loop, pid, 2, &child) == 0);
    EXPECT(gives_child(loop, 2, 1 << 8));
    el_loop_destroy(loop);
}

CASE(child_watch_survives_a_rebuilt_set) {
    NEED_PIDFDS();
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    el_child child;
    EXPECT(el_child_add(loop, start_pausing(), 1, &child) == 0);
    int fd = make_ready();
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_LEVEL, 666) == 0);
    int duplicate = dup(fd);
    close(fd);
    EXPECT(el_fd_remove(loop, fd) == -EBADF);
    EXPECT(is_quiet(loop)); // here the set is built anew
    EXPECT(el_child_signal(loop, child, SIGKILL) == 0);
    EXPECT(gives_child(loop, 1, SIGKILL));
    el_loop_destroy(loop);
    close(duplicate);
}

CASE(child_pidfd_cannot_be_touched_as_a_descriptor) {
    NEED_PIDFDS();
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    el_child child;
    EXPECT(el_child_add(loop, start_pausing(), 1, &child) == 0);
    for (int fd = 0; fd < 256; fd++) {
        EXPECT(el_fd_modify(loop, fd, 0, EL_LEVEL, 1) == -ENOENT);
        EXPECT(el_fd_remove(loop, fd) == -ENOENT);
    }
    EXPECT(el_child_signal(loop, child, SIGKILL) == 0);
    EXPECT(gives_child(loop, 1, SIGKILL));
    el_loop_destroy(loop);
}
