#include "CFloor.h"
#include "loop.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

// The poster waits in read(2), as a thread does that has handed work to a loop and needs the answer.
int floor_answer_open(void) {
    int fd = eventfd(0, EFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

void floor_answer_ring(int answer_fd) {
    uint64_t one = 1;
    (void)!write(answer_fd, &one, sizeof one);
}

void floor_answer_wait(int answer_fd) {
    uint64_t rings;
    while (read(answer_fd, &rings, sizeof rings) < 0 && errno == EINTR) {
    }
}

struct exchange {
    struct loop loop;
    int remaining;
    int count;
    int poster_core;
    int answer_fd;
    struct floor_histogram *round_trip;
    uint64_t begin_ns; // written before the first post, which publishes it
};

struct message {
    struct post post;
    struct exchange *exchange;
};

static void message_came(void *argument) {
    struct message *message = argument;
    struct exchange *exchange = message->exchange;
    free(message);
    if (exchange->answer_fd >= 0) floor_answer_ring(exchange->answer_fd);
    if (--exchange->remaining == 0) loop_stop(&exchange->loop);
}

// Memory for every message, though one block for all would be faster: a program that posts does not know
// how many it will post.
static void post_one(struct exchange *exchange) {
    struct message *message = malloc(sizeof *message);
    if (message == NULL) abort();
    message->post.callback = (struct callback){message_came, message};
    message->exchange = exchange;
    inbox_post(&exchange->loop.inbox, &message->post);
}

static void *post_all(void *argument) {
    struct exchange *exchange = argument;
    if (exchange->poster_core >= 0) floor_pin_to_core(exchange->poster_core);
    exchange->begin_ns = floor_now_ns();
    for (int index = 0; index < exchange->count; index++) {
        post_one(exchange);
    }
    return NULL;
}

static void *post_and_wait(void *argument) {
    struct exchange *exchange = argument;
    if (exchange->poster_core >= 0) floor_pin_to_core(exchange->poster_core);
    for (int index = 0; index < exchange->count; index++) {
        uint64_t begin_ns = floor_now_ns();
        post_one(exchange);
        floor_answer_wait(exchange->answer_fd);
        floor_histogram_record(exchange->round_trip, floor_now_ns() - begin_ns);
    }
    return NULL;
}

static int run_exchange(struct exchange *exchange, void *(*poster)(void *)) {
    exchange->remaining = exchange->count;
    pthread_t thread;
    int result = loop_open(&exchange->loop);
    if (result == 0) result = -pthread_create(&thread, NULL, poster, exchange);
    if (result == 0) {
        loop_run(&exchange->loop);
        pthread_join(thread, NULL);
    }
    loop_close(&exchange->loop);
    return result;
}

int floor_post_burst(int count, int poster_core, uint64_t *elapsed_ns) {
    struct exchange exchange = {.count = count, .poster_core = poster_core, .answer_fd = -1};
    int result = run_exchange(&exchange, post_all);
    *elapsed_ns = floor_now_ns() - exchange.begin_ns;
    return result;
}

int floor_post_round_trips(int count, int poster_core, struct floor_histogram *round_trip) {
    struct exchange exchange = {.count = count, .poster_core = poster_core, .round_trip = round_trip};
    exchange.answer_fd = floor_answer_open();
    if (exchange.answer_fd < 0) return exchange.answer_fd;
    int result = run_exchange(&exchange, post_and_wait);
    close(exchange.answer_fd);
    return result;
}
