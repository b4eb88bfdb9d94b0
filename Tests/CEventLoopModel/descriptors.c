#define _GNU_SOURCE

#include "descriptors.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "CEventLoop.h"
#include "breach.h"

// Fixed, so that a number comes back exactly when an operation says so; spread, so that tables grow.
static const int numbers[POOL_SLOTS] = {40, 41, 42, 43, 44, 45, 62, 63, 64, 65, 127, 128};

void descriptors_open(struct descriptors *descriptors) {
    memset(descriptors, 0, sizeof *descriptors);
    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        descriptors->slots[slot].number = slot < POOL_SLOTS ? numbers[slot] : -1;
    }
}

void descriptors_close(struct descriptors *descriptors) {
    for (int slot = 0; slot < POOL_SLOTS; slot++) descriptors_close_slot(descriptors, slot);
}

static void put(struct descriptors *descriptors, int slot, int fd, enum file_kind kind, uint32_t file,
                uint32_t peer) {
    struct slot *place = &descriptors->slots[slot];
    must(dup3(fd, place->number, O_CLOEXEC) == place->number, "dup3");
    *place = (struct slot){.number = place->number, .file = file, .peer = peer, .kind = kind};
}

/// Puts the two ends of something where they belong.
static void put_ends(struct descriptors *descriptors, const int ends[2], const int slots[2],
                     const enum file_kind kinds[2]) {
    uint32_t files[2] = {descriptors->last_file + 1, descriptors->last_file + 2};
    descriptors->last_file += 2;
    for (int i = 0; i < 2; i++) {
        put(descriptors, slots[i], ends[i], kinds[i], files[i], files[1 - i]);
        close(ends[i]);
    }
}

void descriptors_make_pipe(struct descriptors *descriptors, int reader, int writer) {
    int ends[2];
    must(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0, "pipe2");
    fcntl(ends[0], F_SETPIPE_SZ, 4096); // soon full
    put_ends(descriptors, ends, (int[]){reader, writer},
             (enum file_kind[]){FILE_PIPE_READER, FILE_PIPE_WRITER});
}

void descriptors_make_sockets(struct descriptors *descriptors, int one, int other) {
    int ends[2], small = 4096;
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
    for (int i = 0; i < 2; i++) setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    put_ends(descriptors, ends, (int[]){one, other}, (enum file_kind[]){FILE_SOCKET, FILE_SOCKET});
}

void descriptors_make_event(struct descriptors *descriptors, int slot, unsigned count) {
    int fd = eventfd(count, EFD_NONBLOCK | EFD_CLOEXEC);
    must(fd >= 0, "eventfd");
    put(descriptors, slot, fd, FILE_EVENT, ++descriptors->last_file, 0);
    close(fd);
}

void descriptors_duplicate(struct descriptors *descriptors, int from, int to) {
    struct slot source = descriptors->slots[from];
    put(descriptors, to, source.number, source.kind, source.file, source.peer);
}

void descriptors_close_slot(struct descriptors *descriptors, int slot) {
    struct slot *place = &descriptors->slots[slot];
    if (place->file == 0) return;
    close(place->number);
    *place = (struct slot){.number = place->number};
}

void descriptors_show_loop(struct descriptors *descriptors, int loop, int number) {
    struct slot *place = &descriptors->slots[POOL_SLOTS + loop];
    *place = (struct slot){.number = number, .kind = FILE_LOOP};
    if (number >= 0) place->file = ++descriptors->last_file;
}

bool descriptors_write(struct descriptors *descriptors, int slot, unsigned amount) {
    static const char bytes[2048];
    const struct slot *place = &descriptors->slots[slot];
    if (place->kind == FILE_EVENT) {
        uint64_t count = amount == 255 ? UINT64_MAX - 1 : amount;
        return write(place->number, &count, sizeof count) > 0;
    }
    if (amount < 128) return write(place->number, bytes, amount + 1) > 0;
    bool any = false;
    do {
        if (write(place->number, bytes, sizeof bytes) <= 0) break;
        any = true;
    } while (amount >= 192); // until it is full
    return any;
}

bool descriptors_read(struct descriptors *descriptors, int slot, unsigned amount) {
    char bytes[4096];
    int fd = descriptors->slots[slot].number;
    if (amount < 64) return read(fd, bytes, amount + 8) > 0;
    bool any = false;
    while (read(fd, bytes, sizeof bytes) > 0) any = true;
    return any;
}

bool descriptors_shut_down(struct descriptors *descriptors, int slot, unsigned direction) {
    const struct slot *place = &descriptors->slots[slot];
    static const int directions[] = {SHUT_RD, SHUT_WR, SHUT_RDWR};
    return place->kind == FILE_SOCKET && shutdown(place->number, directions[direction % 3]) == 0;
}

static uint32_t level_of(short events) {
    uint32_t level = 0;
    if (events & POLLIN) level |= EL_READY_READ;
    if (events & POLLOUT) level |= EL_READY_WRITE;
    if (events & POLLPRI) level |= EL_READY_PRIORITY;
    if (events & POLLRDHUP) level |= EL_READY_READ_HANGUP;
    if (events & POLLHUP) level |= EL_READY_HANGUP;
    if (events & POLLERR) level |= EL_READY_ERROR;
    return level;
}

void descriptors_look(struct descriptors *descriptors) {
    struct pollfd watches[SLOT_COUNT];
    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        const struct slot *place = &descriptors->slots[slot];
        watches[slot].fd = place->file == 0 ? -1 : place->number; // poll skips negative numbers
        watches[slot].events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP;
    }
    must(poll(watches, SLOT_COUNT, 0) >= 0, "poll");
    // A slot that was just opened knows nothing of before; another of the same file does.
    uint32_t before[SLOT_COUNT];
    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        before[slot] = descriptors_level(descriptors, descriptors->slots[slot].file);
    }
    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        struct slot *place = &descriptors->slots[slot];
        place->before = before[slot];
        place->level = place->file == 0 ? 0 : level_of(watches[slot].revents);
    }
}

static const struct slot *find(const struct descriptors *descriptors, uint32_t file) {
    for (int slot = 0; slot < SLOT_COUNT && file != 0; slot++) {
        if (descriptors->slots[slot].file == file) return &descriptors->slots[slot];
    }
    return NULL;
}

bool descriptors_holds(const struct descriptors *descriptors, uint32_t file) {
    return find(descriptors, file) != NULL;
}

uint32_t descriptors_level(const struct descriptors *descriptors, uint32_t file) {
    uint32_t level = 0; // the slots of one file agree, except for one that is too new to know
    for (int slot = 0; slot < SLOT_COUNT && file != 0; slot++) {
        if (descriptors->slots[slot].file == file) level |= descriptors->slots[slot].level;
    }
    return level;
}

uint32_t descriptors_level_before(const struct descriptors *descriptors, uint32_t file) {
    const struct slot *place = find(descriptors, file);
    return place == NULL ? 0 : place->before;
}
