#define _GNU_SOURCE

#include "children.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "invariant.h"

// A pid names a process only until somebody has waited for it; then the kernel may give the number to
// another one. A pidfd means the same process for ever. So all that is done here goes through it: what
// has ended is waited for by pidfd (which touches no other child and needs no SIGCHLD), and a signal can
// reach nobody else.
//
// The C library's header may be older than the kernel, hence the names of our own.
enum { BY_PIDFD = 3 }; // P_PIDFD

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

static int wait_for(int pidfd, siginfo_t *info, int options) {
    info->si_pid = 0; // stays so while it runs
    return waitid((idtype_t)BY_PIDFD, (id_t)pidfd, info, WEXITED | WNOHANG | options) == 0 ? 0 : -errno;
}

static struct child *find(const struct children *children, el_child child) {
    uint32_t index = (uint32_t)child, generation = (uint32_t)(child >> 32);
    if (generation == 0 || index >= children->used) return NULL;
    return children->table[index].generation == generation ? &children->table[index] : NULL;
}

void children_close(struct children *children) {
    for (uint32_t index = 0; index < children->used; index++) {
        if (children->table[index].generation != 0) close(children->table[index].pidfd);
    }
    free(children->table);
    *children = (struct children){0};
}

/// Finds a place that is free, at the table's end where there is no other. Returns false without memory.
static bool reserve(struct children *children) {
    if (children->free_count > 0 || children->used < children->capacity) return true;
    uint32_t capacity = children->capacity == 0 ? 8 : children->capacity * 2;
    struct child *grown = realloc(children->table, capacity * sizeof *grown);
    if (grown == NULL) return false;
    children->table = grown;
    children->capacity = capacity;
    return true;
}

int children_add(struct children *children, int pid, uint64_t token, el_child *out) {
    if (!reserve(children)) return -ENOMEM;
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0); // close-on-exec by itself
    if (pidfd < 0) return -errno;
    // Linux 5.3 has pidfds and cannot wait for them. That it is no child of ours is no obstacle.
    siginfo_t info;
    int result = wait_for(pidfd, &info, WNOWAIT);
    if (result == -EINVAL || result == -ENOSYS) {
        close(pidfd);
        return -ENOSYS;
    }
    uint32_t index = children->used;
    if (children->free_count > 0) {
        index = children->first_free;
        children->first_free = children->table[index].next_free;
        children->free_count--;
    } else {
        children->used++;
    }
    if (++children->last_generation == 0) children->last_generation = 1;
    children->table[index] = (struct child){token, pidfd, children->last_generation, 0};
    *out = (uint64_t)children->last_generation << 32 | index;
    return 0;
}

int children_descriptor(const struct children *children, el_child child) {
    const struct child *found = find(children, child);
    return found == NULL ? -ENOENT : found->pidfd;
}

int children_remove(struct children *children, el_child child) {
    struct child *found = find(children, child);
    if (found == NULL) return -ENOENT;
    close(found->pidfd);
    found->generation = 0;
    found->next_free = children->first_free;
    children->first_free = (uint32_t)(found - children->table);
    children->free_count++;
    return 0;
}

int children_signal(const struct children *children, el_child child, int signal) {
    const struct child *found = find(children, child);
    if (found == NULL) return -ENOENT;
    return syscall(SYS_pidfd_send_signal, found->pidfd, signal, NULL, 0) == 0 ? 0 : -errno;
}

bool children_reap(const struct children *children, el_child child, uint64_t *token, uint32_t *status) {
    const struct child *found = find(children, child);
    if (found == NULL) return false;
    siginfo_t info;
    int result = wait_for(found->pidfd, &info, 0);
    // It has ended, but a debugger has to see that first: there will be another notice when it has.
    if (result == 0 && info.si_pid == 0) return false;
    *token = found->token;
    if (result < 0) {
        *status = EL_CHILD_STATUS_UNKNOWN; // ECHILD: waited for by others, by the kernel, or no child of ours
    } else if (info.si_code == CLD_EXITED) {
        *status = (uint32_t)(info.si_status & 0xff) << 8;
    } else {
        *status = (uint32_t)info.si_status | (info.si_code == CLD_DUMPED ? 0x80u : 0);
    }
    return true;
}

void children_check(const struct children *children) {
    uint32_t free_count = 0;
    for (uint32_t index = 0; index < children->used; index++) {
        if (children->table[index].generation == 0) free_count++;
    }
    must_hold(free_count == children->free_count, "each place for a child is taken or free");
}
