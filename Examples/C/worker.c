/// Work on another thread: it puts its results into a queue behind a lock, and rings the loop.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <CEventLoop.h>

enum { RESULTS = 1000 };

struct result {
    struct result *next;
    int number;
    long square;
};

/// What the two threads share. Of the loop, the worker may call el_loop_wake and nothing else.
struct mailbox {
    el_loop *loop;
    pthread_mutex_t lock;
    struct result *first, **end;
};

static void post(struct mailbox *mailbox, struct result *result) {
    pthread_mutex_lock(&mailbox->lock);
    result->next = NULL;
    *mailbox->end = result;
    mailbox->end = &result->next;
    pthread_mutex_unlock(&mailbox->lock);
    el_loop_wake(mailbox->loop); // after the result is in the queue, never before
}

/// Takes all there is: many calls of el_loop_wake may have become one event.
static struct result *take_all(struct mailbox *mailbox) {
    pthread_mutex_lock(&mailbox->lock);
    struct result *first = mailbox->first;
    mailbox->first = NULL;
    mailbox->end = &mailbox->first;
    pthread_mutex_unlock(&mailbox->lock);
    return first;
}

static void *work(void *argument) {
    struct mailbox *mailbox = argument;
    for (int number = 0; number < RESULTS; number++) {
        struct result *result = malloc(sizeof *result);
        if (result == NULL) abort();
        result->number = number;
        result->square = (long)number * number;
        post(mailbox, result);
    }
    return NULL;
}

int main(void) {
    struct mailbox mailbox = {.lock = PTHREAD_MUTEX_INITIALIZER};
    mailbox.end = &mailbox.first;
    if (el_loop_create(EL_CLOCK_MONOTONIC, &mailbox.loop) < 0) return 1;
    pthread_t worker;
    if (pthread_create(&worker, NULL, work, &mailbox) != 0) return 1;

    int received = 0, wakes = 0;
    bool in_order = true;
    while (received < RESULTS) {
        el_event event;
        if (el_loop_wait(mailbox.loop, EL_NEVER, &event, 1) < 0) return 1;
        if (event.kind != EL_EVENT_WAKE) continue;
        wakes++;
        for (struct result *result = take_all(&mailbox), *next; result != NULL; result = next) {
            next = result->next;
            in_order = in_order && result->number == received && result->square == (long)received * received;
            received++;
            free(result);
        }
    }
    // The last el_loop_wake must be over before the loop is.
    pthread_join(worker, NULL);
    printf("%d results %s, with at most one wake for each\n", received,
           in_order ? "in order" : "in disorder");
    el_loop_destroy(mailbox.loop);
    pthread_mutex_destroy(&mailbox.lock);
    return in_order && wakes <= RESULTS ? 0 : 1;
}
