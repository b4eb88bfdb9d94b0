#define _GNU_SOURCE

#include "poller.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "invariant.h"
#include "renew.h"

// epoll watches open files, not descriptors, and that is the source of its surprises:
//
// - close(fd) ends a watch only when no duplicate of the file is open any more. Until then events keep
//   coming with the old data, while EPOLL_CTL_DEL fails with EBADF, or hits another file that got the
//   same number. So each registration has a generation, which travels in the event's data: an event of
//   another generation is dropped, and since nothing can silence it, the epoll set is built anew.
// - After close(fd), socket(2) may return the same number. The table may still know that number; the
//   kernel knows better. So poller_add always asks the kernel, and only its EEXIST counts.
// - The same goes for whoever watches us: a new epoll set under the old number is another file, and the
//   foreign loop that had added that number would hear nothing any more. So what we show outside is a
//   second epoll set, which holds the first and nothing else, and stays when the first is replaced.
// - EPOLLERR and EPOLLHUP cannot be masked. A registration without interest leaves the epoll set.
// - Files that never block (regular ones, directories, /dev/null) are refused with EPERM, where poll(2)
//   calls them ready. They form a ring beside the epoll set and share each batch with it, half and half; a
//   loop without them pays one comparison for each wait. The kernel keeps no account of them, so that
//   it has to be asked, by an EPOLL_CTL_DEL that it refuses again, whether a number still means such a file.

static uint32_t events_for(uint8_t interest, uint8_t mode) {
    uint32_t events = 0;
    if (interest & EL_READ) events |= EPOLLIN | EPOLLRDHUP;
    if (interest & EL_WRITE) events |= EPOLLOUT;
    if (interest & EL_PRIORITY) events |= EPOLLPRI;
    if (mode == EL_EDGE) events |= EPOLLET;
    if (mode == EL_ONE_SHOT) events |= EPOLLONESHOT;
    return events;
}

static uint32_t ready_for(uint32_t events) {
    uint32_t ready = 0;
    if (events & EPOLLIN) ready |= EL_READY_READ;
    if (events & EPOLLOUT) ready |= EL_READY_WRITE;
    if (events & EPOLLPRI) ready |= EL_READY_PRIORITY;
    if (events & EPOLLRDHUP) ready |= EL_READY_READ_HANGUP;
    if (events & EPOLLHUP) ready |= EL_READY_HANGUP;
    if (events & EPOLLERR) ready |= EL_READY_ERROR;
    return ready;
}

/// What travels in an event, to be known again.
static uint64_t data_for(int fd, const struct registration *registration) {
    return (uint64_t)registration->generation << 32 | (uint32_t)fd;
}

static int control(int epoll_fd, int operation, int fd, const struct registration *registration) {
    struct epoll_event event = {
        .events = events_for(registration->interest, registration->mode),
        .data.u64 = data_for(fd, registration),
    };
    return epoll_ctl(epoll_fd, operation, fd, &event) == 0 ? 0 : -errno;
}

static bool is_valid(el_interest interest, el_mode mode) {
    return (interest & ~(uint32_t)(EL_READ | EL_WRITE | EL_PRIORITY)) == 0 && mode <= EL_ONE_SHOT;
}

static struct registration *find(const struct poller *poller, int fd) {
    if (fd < 0 || (size_t)fd >= poller->registrations_capacity) return NULL;
    struct registration *registration = &poller->registrations[fd];
    return registration->generation == 0 ? NULL : registration;
}

static bool is_known_watch(const struct poller *poller, int fd) {
    const struct registration *registration = find(poller, fd);
    return registration != NULL && registration->is_watched;
}

static int make_room(struct poller *poller, int fd) {
    size_t old_capacity = poller->registrations_capacity;
    if ((size_t)fd < old_capacity) return 0;
    size_t capacity = old_capacity == 0 ? 64 : old_capacity;
    while (capacity <= (size_t)fd) capacity *= 2;
    struct registration *grown = realloc(poller->registrations, capacity * sizeof *poller->registrations);
    if (grown == NULL) return -ENOMEM;
    memset(grown + old_capacity, 0, (capacity - old_capacity) * sizeof *grown);
    poller->registrations = grown;
    poller->registrations_capacity = capacity;
    return 0;
}

static uint32_t next_generation(struct poller *poller) {
    if (++poller->last_generation == 0) poller->last_generation = 1;
    return poller->last_generation;
}

int poller_open(struct poller *poller) {
    poller->outside_fd = -1;
    poller->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return poller->epoll_fd < 0 ? -errno : 0;
}

void poller_close(struct poller *poller) {
    if (poller->outside_fd >= 0) close(poller->outside_fd);
    close(poller->epoll_fd);
    ring_close(&poller->files);
    free(poller->registrations);
}

/// Puts one of our epoll sets into the one that is shown outside, or takes it out.
static int control_outside(int outside_fd, int operation, int epoll_fd) {
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(outside_fd, operation, epoll_fd, &event) == 0 ? 0 : -errno;
}

int poller_outside(struct poller *poller) {
    if (poller->outside_fd >= 0) return poller->outside_fd;
    int outside_fd = epoll_create1(EPOLL_CLOEXEC);
    if (outside_fd < 0) return -errno;
    int result = control_outside(outside_fd, EPOLL_CTL_ADD, poller->epoll_fd);
    if (result < 0) {
        close(outside_fd);
        return result;
    }
    poller->outside_fd = outside_fd;
    return outside_fd;
}

/// A file has something to report, or has not any more.
static void put_in_ring(struct poller *poller, int fd) {
    // Exceptional data never comes from a file.
    if (poller->registrations[fd].interest & (EL_READ | EL_WRITE)) {
        ring_insert(&poller->files, fd);
    } else {
        ring_remove(&poller->files, fd);
    }
}

/// Whether the number still means a file that epoll refuses. Else: -EBADF, or -ENOENT for another file.
static int ask_for_file(const struct poller *poller, int fd) {
    int result = control(poller->epoll_fd, EPOLL_CTL_DEL, fd, &poller->registrations[fd]);
    return result == -EPERM ? 0 : result;
}

int poller_add(struct poller *poller, int fd, el_interest interest, el_mode mode, uint64_t token,
               enum poller_owner owner) {
    if (!is_valid(interest, mode)) return -EINVAL;
    if (fd < 0) return -EBADF;
    if (fd == poller->outside_fd) return -EINVAL;
    struct registration registration = {
        .token = token,
        .generation = next_generation(poller),
        .interest = (uint8_t)interest,
        .mode = (uint8_t)mode,
        .owner = (uint8_t)owner,
    };
    // The kernel is asked before the table grows, so that a number which is not open costs nothing; and
    // even without interest, since nobody else knows whether this file can be watched, or is.
    int result = control(poller->epoll_fd, EPOLL_CTL_ADD, fd, &registration);
    if (result == -EEXIST && !is_known_watch(poller, fd)) {
        // The number stands again for a file that it stood for when we forgot it: that watch is ours to take.
        result = control(poller->epoll_fd, EPOLL_CTL_MOD, fd, &registration);
    }
    registration.is_file = result == -EPERM && owner == POLLER_CALLER;
    if (result < 0 && !registration.is_file) return result;
    result = make_room(poller, fd);
    if (result == 0 && registration.is_file) result = ring_reserve(&poller->files, fd);
    if (!registration.is_file && (result < 0 || interest == 0)) {
        control(poller->epoll_fd, EPOLL_CTL_DEL, fd, &registration);
    }
    if (result < 0) return result;
    registration.is_watched = interest != 0 && !registration.is_file;
    poller->registrations[fd] = registration;
    ring_remove(&poller->files, fd); // what this number may have meant before
    if (registration.is_file) put_in_ring(poller, fd);
    return 0;
}

int poller_modify(struct poller *poller, int fd, el_interest interest, el_mode mode, uint64_t token) {
    if (!is_valid(interest, mode)) return -EINVAL;
    struct registration *registration = find(poller, fd);
    if (registration == NULL || registration->owner != POLLER_CALLER) return -ENOENT;
    struct registration wanted = *registration;
    wanted.token = token;
    wanted.interest = (uint8_t)interest;
    wanted.mode = (uint8_t)mode;
    wanted.is_watched = interest != 0 && !wanted.is_file;
    wanted.is_spent = false;
    if (wanted.is_file) {
        int result = ask_for_file(poller, fd);
        if (result < 0) return result;
        *registration = wanted;
        put_in_ring(poller, fd);
        return 0;
    }
    if (registration->is_watched || wanted.is_watched) {
        int operation = !registration->is_watched ? EPOLL_CTL_ADD
                      : !wanted.is_watched        ? EPOLL_CTL_DEL
                                                  : EPOLL_CTL_MOD;
        int result = control(poller->epoll_fd, operation, fd, &wanted);
        if (result < 0) return result;
    }
    *registration = wanted;
    return 0;
}

int poller_remove(struct poller *poller, int fd, enum poller_owner owner) {
    struct registration *registration = find(poller, fd);
    if (registration == NULL || registration->owner != owner) return -ENOENT;
    struct registration removed = *registration;
    *registration = (struct registration){0};
    if (removed.is_file) {
        ring_remove(&poller->files, fd);
        return ask_for_file(poller, fd) == 0 ? 0 : -EBADF;
    }
    if (!removed.is_watched) return 0;
    int result = control(poller->epoll_fd, EPOLL_CTL_DEL, fd, &removed);
    // ENOENT: the number names another file by now, so it was closed behind our back as well.
    return result == -ENOENT ? -EBADF : result;
}

/// Replaces the epoll set by one that holds what the table holds.
/// On failure, -errno, the old set stays, and the next stale event tries again. A set that is shared with a
/// parent is not touched.
static int rebuild(struct poller *poller, bool is_shared) {
    int fresh_fd = epoll_create1(EPOLL_CLOEXEC);
    if (fresh_fd < 0) return -errno;
    for (size_t fd = 0; fd < poller->registrations_capacity; fd++) {
        struct registration *registration = &poller->registrations[fd];
        if (!registration->is_watched || registration->is_spent) continue;
        // The number may stand for another file by now, which nobody asked us to watch. The old set knows.
        int result = is_shared ? 0 : control(poller->epoll_fd, EPOLL_CTL_MOD, (int)fd, registration);
        if (result == 0) result = control(fresh_fd, EPOLL_CTL_ADD, (int)fd, registration);
        if (result == -ENOMEM || result == -ENOSPC) {
            close(fresh_fd);
            return result;
        }
        // Any other refusal: this one, too, was closed without being removed.
        if (result < 0) *registration = (struct registration){0};
    }
    if (poller->outside_fd >= 0) {
        int result = control_outside(poller->outside_fd, EPOLL_CTL_ADD, fresh_fd);
        if (result < 0) {
            close(fresh_fd);
            return result;
        }
        // close alone would not do it where a forked child holds the old set.
        control_outside(poller->outside_fd, EPOLL_CTL_DEL, poller->epoll_fd);
    }
    close(poller->epoll_fd);
    poller->epoll_fd = fresh_fd;
    // Added, a spent one-shot would fire again: it comes back with poller_modify.
    for (size_t fd = 0; fd < poller->registrations_capacity; fd++) {
        if (poller->registrations[fd].is_spent) poller->registrations[fd].is_watched = false;
    }
    return 0;
}

int poller_fork(struct poller *poller) {
    // The set outside is the parent's as well, so nothing may be taken out of it.
    int outside_fd = poller->outside_fd;
    poller->outside_fd = -1;
    int result = rebuild(poller, true);
    poller->outside_fd = outside_fd;
    if (result < 0 || outside_fd < 0) return result;
    result = renew(outside_fd, epoll_create1(EPOLL_CLOEXEC));
    if (result < 0) return result;
    return control_outside(outside_fd, EPOLL_CTL_ADD, poller->epoll_fd);
}

/// Fills places of the batch with files whose turn it is. Those that report once leave the ring.
static void take_files(struct poller *poller, struct epoll_event *out, int count) {
    for (int i = 0; i < count; i++) {
        int fd = ring_take(&poller->files);
        struct registration *registration = &poller->registrations[fd];
        out[i].events = events_for(registration->interest, registration->mode) & (EPOLLIN | EPOLLOUT);
        out[i].data.u64 = data_for(fd, registration);
        if (registration->mode != EL_LEVEL) ring_remove(&poller->files, fd);
    }
}

/// Does not block: a file is ready.
static int wait_beside_files(struct poller *poller, int limit) {
    int share = limit / 2;
    if (limit == 1) {
        poller->is_files_turn = !poller->is_files_turn;
        share = poller->is_files_turn;
    }
    if (share > poller->files.count) share = poller->files.count;
    int count = 0;
    if (share < limit) count = epoll_wait(poller->epoll_fd, poller->batch, limit - share, 0);
    if (count < 0) return -errno;
    int files = limit - count < poller->files.count ? limit - count : poller->files.count;
    take_files(poller, poller->batch + count, files);
    poller->is_full = count + files == limit;
    return count + files;
}

bool poller_is_ready(const struct poller *poller) { return poller->files.count > 0; }

int poller_wait(struct poller *poller, int limit, bool block) {
    if (limit > POLLER_BATCH) limit = POLLER_BATCH;
    poller->has_stale = false;
    if (poller->files.count > 0) return wait_beside_files(poller, limit);
    int count = epoll_wait(poller->epoll_fd, poller->batch, limit, block ? -1 : 0);
    poller->is_full = count == limit;
    return count < 0 ? -errno : count;
}

bool poller_take(struct poller *poller, int index, struct readiness *out) {
    uint64_t data = poller->batch[index].data.u64;
    struct registration *registration = find(poller, (int)(uint32_t)data);
    if (registration == NULL || registration->generation != (uint32_t)(data >> 32)) {
        poller->has_stale = true;
        return false;
    }
    if (registration->mode == EL_ONE_SHOT) registration->is_spent = true;
    out->token = registration->token;
    out->ready = ready_for(poller->batch[index].events);
    out->owner = (enum poller_owner)registration->owner;
    return true;
}

bool poller_finish(struct poller *poller) {
    bool is_silenced = !poller->has_stale || rebuild(poller, false) == 0;
    return is_silenced && poller->is_full;
}

void poller_check(const struct poller *poller) {
    must_hold(poller->epoll_fd >= 0, "the epoll fd is open");
    for (size_t fd = 0; fd < poller->registrations_capacity; fd++) {
        const struct registration *registration = &poller->registrations[fd];
        if (registration->generation == 0) continue;
        must_hold(is_valid(registration->interest, registration->mode), "a registration is valid");
        must_hold(registration->interest != 0 || !registration->is_watched, "no interest, no watch");
        must_hold(!registration->is_file || !registration->is_watched, "a file is not in the epoll set");
    }
    ring_check(&poller->files);
    for (int fd = 0; fd < poller->files.capacity; fd++) {
        if (!ring_has(&poller->files, fd)) continue;
        const struct registration *registration = find(poller, fd);
        must_hold(registration != NULL && registration->is_file, "the ring holds registered files only");
    }
}
