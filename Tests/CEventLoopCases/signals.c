// Signals as events, and the thread's mask as it was before.
#define _GNU_SOURCE

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "support.h"

static bool is_blocked(int number) {
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    return sigismember(&mask, number) == 1;
}

static void block(int number) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static bool gives_signal(el_loop *loop, int number, uint64_t token) {
    el_event event;
    return poll_loop(loop, &event, 1) == 1 && event.kind == EL_EVENT_SIGNAL && event.token == token &&
           event.ready == (uint32_t)number;
}

CASE(signal_arrives_as_an_event) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    EXPECT(el_signal_add(loop, SIGUSR1, 10) == 0);
    EXPECT(el_signal_add(loop, SIGTERM, 11) == 0);
    EXPECT(is_quiet(loop));
    kill(getpid(), SIGTERM);
    EXPECT(gives_signal(loop, SIGTERM, 11));
    raise(SIGUSR1);
    EXPECT(gives_signal(loop, SIGUSR1, 10));
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
}

CASE(signal_that_arrives_twice_is_one_event) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    EXPECT(el_signal_add(loop, SIGUSR1, 10) == 0);
    for (int round = 0; round < 2; round++) {
        raise(SIGUSR1);
        raise(SIGUSR1);
        EXPECT(gives_signal(loop, SIGUSR1, 10));
        EXPECT(is_quiet(loop));
    }
    el_loop_destroy(loop);
}

CASE(signal_of_a_child_that_ended_arrives) {
    el_loop *loop = make_loop(EL_CLOCK_MONOTONIC);
    EXPECT(el_signal_add(loop, SIGCHLD, 10) == 0);
    pid_t child = fork();
    if (child == 0) _exit(0);
    el_event event;
    EXPECT(el_loop_wait(loop, EL_NEVER, &event, 1) == 1);
    EXPECT(event.kind == EL_EVENT_SIGNAL && event.ready == SIGCHLD);
    EXPECT(waitpid(child, NULL, 0) == child);
    el_loop_destroy(loop);
}

CASE(real_time_signals_queue) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    EXPECT(el_signal_add(loop, SIGRTMIN, 10) == 0);
    EXPECT(el_signal_add(loop, SIGRTMAX, 11) == 0);
    for (int i = 0; i < 3; i++) EXPECT(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i}) == 0);
    EXPECT(sigqueue(getpid(), SIGRTMAX, (union sigval){0}) == 0);
    el_event events[MANY];
    EXPECT(poll_loop(loop, events, MANY) == 4);
    for (int i = 0; i < 3; i++) EXPECT(events[i].token == 10 && events[i].ready == (uint32_t)SIGRTMIN);
    EXPECT(events[3].token == 11 && events[3].ready == (uint32_t)SIGRTMAX);
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
}

CASE(signals_that_find_no_place_come_next_time) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    EXPECT(el_signal_add(loop, SIGRTMIN, 10) == 0);
    int fd = make_ready(), seen = 0;
    EXPECT(el_fd_add(loop, fd, EL_READ, EL_LEVEL, 1) == 0);
    for (int i = 0; i < 5; i++) EXPECT(sigqueue(getpid(), SIGRTMIN, (union sigval){0}) == 0);
    el_event event;
    for (int i = 0; i < 10; i++) {
        EXPECT(poll_loop(loop, &event, 1) == 1);
        seen += event.kind == EL_EVENT_SIGNAL;
    }
    EXPECT(seen == 5);
    el_loop_destroy(loop);
    close(fd);
}

CASE(signal_added_twice_is_eexist) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    EXPECT(el_signal_add(loop, SIGUSR1, 10) == 0);
    EXPECT(el_signal_add(loop, SIGUSR1, 11) == -EEXIST);
    raise(SIGUSR1);
    EXPECT(gives_signal(loop, SIGUSR1, 10));
    el_loop_destroy(loop);
}

CASE(signal_that_cannot_be_read_is_einval) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    const int numbers[] = {SIGKILL, SIGSTOP, 0, -1, 65, 1000, SIGRTMIN - 1}; // the last is the C library's
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        EXPECT(el_signal_add(loop, numbers[i], 1) == -EINVAL);
        EXPECT(el_signal_remove(loop, numbers[i]) == -ENOENT);
    }
    el_loop_destroy(loop);
}

CASE(signal_not_added_is_enoent) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    EXPECT(el_signal_remove(loop, SIGUSR1) == -ENOENT);
    EXPECT(el_signal_add(loop, SIGUSR1, 10) == 0);
    EXPECT(el_signal_remove(loop, SIGUSR2) == -ENOENT);
    EXPECT(el_signal_remove(loop, SIGUSR1) == 0);
    EXPECT(el_signal_remove(loop, SIGUSR1) == -ENOENT);
    el_loop_destroy(loop);
}

CASE(signal_removed_gets_its_place_in_the_mask_back) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    block(SIGUSR2);
    for (int round = 0; round < 2; round++) {
        EXPECT(el_signal_add(loop, SIGUSR1, 10) == 0);
        EXPECT(el_signal_add(loop, SIGUSR2, 11) == 0);
        EXPECT(is_blocked(SIGUSR1) && is_blocked(SIGUSR2));
        EXPECT(el_signal_remove(loop, SIGUSR1) == 0);
        EXPECT(el_signal_remove(loop, SIGUSR2) == 0);
        EXPECT(!is_blocked(SIGUSR1) && is_blocked(SIGUSR2));
    }
    el_loop_destroy(loop);
}

CASE(signals_get_their_mask_back_when_the_loop_is_destroyed) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    block(SIGUSR2);
    EXPECT(el_signal_add(loop, SIGUSR1, 10) == 0);
    EXPECT(el_signal_add(loop, SIGUSR2, 11) == 0);
    el_loop_destroy(loop);
    EXPECT(!is_blocked(SIGUSR1) && is_blocked(SIGUSR2));
}

static volatile sig_atomic_t handled;

static void count_signal(int number) {
    (void)number;
    handled++;
}

CASE(signal_pending_at_its_removal_is_delivered_the_ordinary_way) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    signal(SIGUSR1, count_signal);
    EXPECT(el_signal_add(loop, SIGUSR1, 10) == 0);
    raise(SIGUSR1);
    EXPECT(handled == 0);
    EXPECT(el_signal_remove(loop, SIGUSR1) == 0);
    EXPECT(handled == 1);
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
}

CASE(signals_of_two_loops_are_apart) {
    el_loop *first = make_loop(EL_CLOCK_MANUAL), *second = make_loop(EL_CLOCK_MANUAL);
    EXPECT(el_signal_add(first, SIGUSR1, 10) == 0);
    EXPECT(el_signal_add(second, SIGUSR2, 20) == 0);
    raise(SIGUSR2);
    EXPECT(is_quiet(first));
    EXPECT(gives_signal(second, SIGUSR2, 20));
    el_loop_destroy(second);
    raise(SIGUSR1);
    EXPECT(gives_signal(first, SIGUSR1, 10));
    el_loop_destroy(first);
}

CASE(signal_without_a_free_descriptor_is_emfile_and_changes_nothing) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    struct rlimit old = limit_free_fds(0);
    EXPECT(el_signal_add(loop, SIGUSR1, 10) == -EMFILE);
    EXPECT(!is_blocked(SIGUSR1));
    restore_limit(old);
    EXPECT(el_signal_add(loop, SIGUSR1, 10) == 0);
    raise(SIGUSR1);
    EXPECT(gives_signal(loop, SIGUSR1, 10));
    el_loop_destroy(loop);
}

// MARK: - Many

CASE(signals_of_every_number_arrive) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    bool is_added[65] = {false};
    int count = 0;
    for (int number = 1; number <= 64; number++) {
        int result = el_signal_add(loop, number, (uint64_t)number);
        EXPECT(result == 0 || result == -EINVAL);
        is_added[number] = result == 0;
        count += result == 0;
    }
    EXPECT(count >= 60); // all but SIGKILL, SIGSTOP and those that the C library keeps
    for (int number = 1; number <= 64; number++) {
        // One by one: SIGCONT takes back the stops that are pending, and they it.
        if (is_added[number]) EXPECT(raise(number) == 0 && gives_signal(loop, number, (uint64_t)number));
    }
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
    for (int number = 1; number <= 64; number++) EXPECT(!is_blocked(number));
}

CASE(real_time_signals_come_lowest_first_whatever_their_order) {
    el_loop *loop = make_loop(EL_CLOCK_MANUAL);
    enum { NUMBERS = 5, EACH = 20 };
    for (int i = 0; i < NUMBERS; i++) EXPECT(el_signal_add(loop, SIGRTMIN + i, (uint64_t)i) == 0);
    for (int round = 0; round < EACH; round++) {
        for (int i = NUMBERS; i-- > 0;) {
            EXPECT(sigqueue(getpid(), SIGRTMIN + i, (union sigval){.sival_int = round}) == 0);
        }
    }
    el_event event;
    for (int i = 0; i < NUMBERS * EACH; i++) {
        EXPECT(poll_loop(loop, &event, 1) == 1 && event.token == (uint64_t)(i / EACH));
    }
    EXPECT(is_quiet(loop));
    el_loop_destroy(loop);
}

// MARK: - Many loops

CASE(signal_asked_for_by_two_loops_reaches_one) {
    el_loop *first = make_loop(EL_CLOCK_MANUAL), *second = make_loop(EL_CLOCK_MANUAL);
    EXPECT(el_signal_add(first, SIGUSR1, 10) == 0);
    EXPECT(el_signal_add(second, SIGUSR1, 20) == 0);
    kill(getpid(), SIGUSR1);
    EXPECT(gives_signal(second, SIGUSR1, 20)); // who looks first …
    EXPECT(is_quiet(first));
    kill(getpid(), SIGUSR1);
    EXPECT(gives_signal(first, SIGUSR1, 10));
    EXPECT(is_quiet(second));
    // … and in the reverse order the mask is what it was.
    EXPECT(el_signal_remove(second, SIGUSR1) == 0);
    EXPECT(is_blocked(SIGUSR1));
    EXPECT(el_signal_remove(first, SIGUSR1) == 0);
    EXPECT(!is_blocked(SIGUSR1));
    el_loop_destroy(first);
    el_loop_destroy(second);
}

enum { LISTENERS = 4, SENT = 200 };

struct listener {
    pthread_t thread;
    pthread_barrier_t *are_ready;
    el_loop *loop;
    bool restores_mask;
    int heard;
};

static void *listen_for_signals(void *argument) {
    struct listener *listener = argument;
    bool is_added = el_signal_add(listener->loop, SIGRTMIN, 1) == 0;
    pthread_barrier_wait(listener->are_ready);
    el_event events[MANY];
    for (bool is_asked_to_stop = false; !is_asked_to_stop;) {
        int count = el_loop_wait(listener->loop, EL_NEVER, events, MANY);
        for (int i = 0; i < count; i++) {
            listener->heard += events[i].kind == EL_EVENT_SIGNAL;
            is_asked_to_stop |= events[i].kind == EL_EVENT_WAKE;
        }
    }
    // What was sent before the wake is here by now, in one loop or another.
    int count;
    while ((count = poll_loop(listener->loop, events, MANY)) > 0) listener->heard += count;
    el_signal_remove(listener->loop, SIGRTMIN);
    listener->restores_mask = is_added && is_blocked(SIGRTMIN);
    return NULL;
}

static void start_listeners(struct listener listeners[LISTENERS], pthread_barrier_t *are_ready) {
    block(SIGRTMIN); // here, and so in the threads to come: theirs is the only other mask
    pthread_barrier_init(are_ready, NULL, LISTENERS + 1);
    for (int i = 0; i < LISTENERS; i++) {
        listeners[i] = (struct listener){.are_ready = are_ready, .loop = make_loop(EL_CLOCK_MONOTONIC)};
        EXPECT(pthread_create(&listeners[i].thread, NULL, listen_for_signals, &listeners[i]) == 0);
    }
    pthread_barrier_wait(are_ready);
}

static void stop_listeners(struct listener listeners[LISTENERS], pthread_barrier_t *are_ready) {
    for (int i = 0; i < LISTENERS; i++) el_loop_wake(listeners[i].loop);
    for (int i = 0; i < LISTENERS; i++) {
        pthread_join(listeners[i].thread, NULL);
        EXPECT(listeners[i].restores_mask);
        el_loop_destroy(listeners[i].loop);
    }
    pthread_barrier_destroy(are_ready);
}

CASE(signals_to_the_process_reach_one_of_many_threads_each) {
    struct listener listeners[LISTENERS];
    pthread_barrier_t are_ready;
    start_listeners(listeners, &are_ready);
    for (int i = 0; i < SENT; i++) {
        // The kernel keeps a limited number; the listeners make room.
        while (sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i}) < 0) usleep(100);
    }
    stop_listeners(listeners, &are_ready);
    int heard = 0;
    for (int i = 0; i < LISTENERS; i++) heard += listeners[i].heard;
    EXPECT(heard == SENT);
}

CASE(signals_to_one_of_many_threads_reach_its_loop_only) {
    struct listener listeners[LISTENERS];
    pthread_barrier_t are_ready;
    start_listeners(listeners, &are_ready);
    for (int i = 0; i < LISTENERS; i++) {
        for (int sent = 0; sent <= i; sent++) EXPECT(pthread_kill(listeners[i].thread, SIGRTMIN) == 0);
    }
    stop_listeners(listeners, &are_ready);
    for (int i = 0; i < LISTENERS; i++) EXPECT(listeners[i].heard == i + 1);
}
