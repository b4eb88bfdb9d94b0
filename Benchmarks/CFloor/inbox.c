#include "inbox.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int inbox_open(struct inbox *inbox) {
    atomic_init(&inbox->newest, NULL);
    inbox->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return inbox->event_fd < 0 ? -errno : 0;
}

void inbox_close(struct inbox *inbox) { close(inbox->event_fd); }

// Only the post that finds the stack empty rings: all later ones are taken together with it.
void inbox_post(struct inbox *inbox, struct post *post) {
    struct post *newest = atomic_load_explicit(&inbox->newest, memory_order_relaxed);
    do {
        post->next = newest;
    } while (!atomic_compare_exchange_weak_explicit(&inbox->newest, &newest, post, memory_order_release,
                                                    memory_order_relaxed));
    if (newest != NULL) return;
    uint64_t one = 1;
    (void)!write(inbox->event_fd, &one, sizeof one); // cannot fail: the counter never comes near its end
}

void inbox_run(struct inbox *inbox) {
    // Clear, then take: the other way round, a post between the two would lose its ring.
    uint64_t rings;
    (void)!read(inbox->event_fd, &rings, sizeof rings);
    struct post *newest = atomic_exchange_explicit(&inbox->newest, NULL, memory_order_acquire);
    struct post *oldest = NULL;
    while (newest != NULL) {
        struct post *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest != NULL) {
        struct post *post = oldest;
        oldest = post->next; // first, for the callback may reuse the memory
        callback_run(post->callback);
    }
}
