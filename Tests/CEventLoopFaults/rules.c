#define _GNU_SOURCE

#include "rules.h"

#include <errno.h>
#include <string.h>

// A rule without errors: the manual has some, but none that can happen at that place. clock_gettime and
// pthread_sigmask fail for bad arguments only (block is failed all the same, since it comes before
// anything has changed, and so can be undone). EPOLL_CTL_DEL takes back there what EPOLL_CTL_ADD has just
// done. Errors of a descriptor that is not one (EBADF, EINVAL) stand for a caller that closed what is not
// its own.
static const struct rule rules[] = {
    {"el_loop_create", CALL_calloc, RETURNED, {ENOMEM}},
    {"el_loop_create", CALL_realloc, RETURNED, {ENOMEM}},
    {"el_loop_create", CALL_epoll_create1, RETURNED, {EMFILE, ENFILE, ENOMEM}},
    {"el_loop_create", CALL_timerfd_create, RETURNED, {EMFILE, ENFILE, ENODEV, ENOMEM}},
    {"el_loop_create", CALL_eventfd, RETURNED, {EMFILE, ENFILE, ENODEV, ENOMEM}},
    {"el_loop_create", CALL_epoll_ctl_add, RETURNED, {ENOMEM, ENOSPC}},
    {"el_loop_create", CALL_epoll_ctl_del, ABSORBED, {0}},
    {"el_loop_create", CALL_close, ABSORBED, {EINTR, EIO}},
    {"el_loop_create", CALL_free, ABSORBED, {0}},

    {"el_loop_destroy", CALL_close, ABSORBED, {EINTR, EIO}},
    {"el_loop_destroy", CALL_pthread_sigmask_restore, ABSORBED, {0}},
    {"el_loop_destroy", CALL_free, ABSORBED, {0}},

    {"el_loop_wait", CALL_epoll_wait, ABSORBED, {EINTR}},
    {"el_loop_wait", CALL_epoll_wait, RETURNED, {EBADF, EINVAL}},
    {"el_loop_wait", CALL_clock_gettime, ABSORBED, {0}},
    {"el_loop_wait", CALL_timerfd_settime, RETURNED, {EBADF, EINVAL}},
    {"el_loop_wait", CALL_read, ABSORBED, {EINTR, EAGAIN, EINVAL}},
    {"el_loop_wait", CALL_waitid, ABSORBED, {ECHILD}}, // somebody else has waited for the child
    // Looking for the earliest timer makes nodes for the next look, and can do without.
    {"el_loop_wait", CALL_realloc, ABSORBED, {ENOMEM}},
    {"el_loop_wait", CALL_aligned_alloc, ABSORBED, {ENOMEM}},
    {"el_loop_wait", CALL_free, ABSORBED, {0}},
    // The epoll set is built anew; when that fails, the next stale event tries again.
    {"el_loop_wait", CALL_epoll_create1, ABSORBED, {EMFILE, ENFILE, ENOMEM}},
    {"el_loop_wait", CALL_epoll_ctl_add, ABSORBED, {ENOMEM, ENOSPC}},
    {"el_loop_wait", CALL_epoll_ctl_mod, ABSORBED, {ENOMEM}},
    {"el_loop_wait", CALL_epoll_ctl_del, ABSORBED, {0}},
    {"el_loop_wait", CALL_close, ABSORBED, {EINTR, EIO}},

    {"el_loop_wake", CALL_write, ABSORBED, {EINTR, EAGAIN}},
    {"el_loop_wake", CALL_write, RETURNED, {EBADF, EINVAL}},

    {"el_loop_fd", CALL_epoll_create1, RETURNED, {EMFILE, ENFILE, ENOMEM}},
    {"el_loop_fd", CALL_epoll_ctl_add, RETURNED, {ENOMEM, ENOSPC, ELOOP, EINVAL}},
    {"el_loop_fd", CALL_close, ABSORBED, {EINTR, EIO}},

    {"el_loop_arm", CALL_clock_gettime, ABSORBED, {0}},
    {"el_loop_arm", CALL_timerfd_settime, RETURNED, {EBADF, EINVAL}},
    {"el_loop_arm", CALL_realloc, ABSORBED, {ENOMEM}},
    {"el_loop_arm", CALL_aligned_alloc, ABSORBED, {ENOMEM}},

    {"el_timer_earliest", CALL_realloc, ABSORBED, {ENOMEM}},
    {"el_timer_earliest", CALL_aligned_alloc, ABSORBED, {ENOMEM}},

    {"el_loop_now", CALL_clock_gettime, ABSORBED, {0}},
    {"el_loop_update_now", CALL_clock_gettime, ABSORBED, {0}},

    // (Not EEXIST, which is true or false: the scenarios have it happen. Nor EPERM, which makes a file of
    // it.)
    {"el_fd_add", CALL_epoll_ctl_add, RETURNED, {EBADF, EINVAL, ELOOP, ENOMEM, ENOSPC}},
    {"el_fd_add", CALL_epoll_ctl_mod, RETURNED, {ENOMEM}},
    {"el_fd_add", CALL_epoll_ctl_del, ABSORBED, {0}},
    {"el_fd_add", CALL_realloc, RETURNED, {ENOMEM}},

    {"el_fd_modify", CALL_epoll_ctl_add, RETURNED, {EBADF, ENOMEM, ENOSPC}},
    {"el_fd_modify", CALL_epoll_ctl_mod, RETURNED, {EBADF, ENOENT, ENOMEM}},
    {"el_fd_modify", CALL_epoll_ctl_del, RETURNED, {EBADF, ENOENT}},

    {"el_fd_remove", CALL_epoll_ctl_del, FORGOTTEN, {EBADF, ENOENT}},

    {"el_fd_accept",
     CALL_accept4,
     RETURNED,
     {EAGAIN, ECONNABORTED, EINTR, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM, EPROTO}},

    // A timer needs a slot; a node that would make it quicker to find can wait.
    {"el_timer_start", CALL_realloc, EITHER, {ENOMEM}},
    {"el_timer_start", CALL_aligned_alloc, EITHER, {ENOMEM}},
    {"el_timer_cancel", CALL_free, ABSORBED, {0}},

    {"el_signal_add", CALL_signalfd, RETURNED, {EINVAL, EMFILE, ENFILE, ENODEV, ENOMEM}},
    {"el_signal_add", CALL_pthread_sigmask_block, RETURNED, {EINVAL}},
    {"el_signal_add", CALL_pthread_sigmask_restore, ABSORBED, {0}},
    {"el_signal_add", CALL_epoll_ctl_add, RETURNED, {ENOMEM, ENOSPC}},
    {"el_signal_add", CALL_epoll_ctl_del, ABSORBED, {0}},
    {"el_signal_add", CALL_realloc, RETURNED, {ENOMEM}},
    {"el_signal_add", CALL_close, ABSORBED, {EINTR, EIO}},

    {"el_signal_remove", CALL_signalfd, RETURNED, {EBADF, EINVAL}},
    {"el_signal_remove", CALL_pthread_sigmask_restore, ABSORBED, {0}},

    {"el_child_add", CALL_realloc, RETURNED, {ENOMEM}},
    {"el_child_add", CALL_pidfd_open, RETURNED, {EMFILE, ENFILE, ENODEV, ENOMEM, ENOSYS, EPERM, ESRCH}},
    {"el_child_add", CALL_waitid, ABSORBED, {ECHILD}},
    {"el_child_add", CALL_waitid, RETURNED, {ENOSYS}},
    {"el_child_add", CALL_epoll_ctl_add, RETURNED, {ENOMEM, ENOSPC, EPERM}},
    {"el_child_add", CALL_epoll_ctl_del, ABSORBED, {0}},
    {"el_child_add", CALL_close, ABSORBED, {EINTR, EIO}},

    {"el_child_remove", CALL_epoll_ctl_del, ABSORBED, {0}},
    {"el_child_remove", CALL_close, ABSORBED, {EINTR, EIO}},

    {"el_child_signal", CALL_pidfd_send_signal, RETURNED, {EPERM, ESRCH}},

    {"el_loop_fork", CALL_timerfd_create, RETURNED, {EMFILE, ENFILE, ENODEV, ENOMEM}},
    {"el_loop_fork", CALL_eventfd, RETURNED, {EMFILE, ENFILE, ENODEV, ENOMEM}},
    {"el_loop_fork", CALL_signalfd, RETURNED, {EMFILE, ENFILE, ENODEV, ENOMEM}},
    {"el_loop_fork", CALL_epoll_create1, RETURNED, {EMFILE, ENFILE, ENOMEM}},
    {"el_loop_fork", CALL_epoll_ctl_add, RETURNED, {ENOMEM, ENOSPC}},
    {"el_loop_fork", CALL_dup3, ABSORBED, {EINTR}},
    {"el_loop_fork", CALL_dup3, RETURNED, {EMFILE, EBUSY}},
    {"el_loop_fork", CALL_pthread_sigmask_block, ABSORBED, {0}},
    {"el_loop_fork", CALL_close, ABSORBED, {EINTR, EIO}},
};

static bool is_about(const struct rule *rule, const char *function, enum call call) {
    return function != NULL && rule->call == call && strcmp(rule->function, function) == 0;
}

bool has_rule(const char *function, enum call call) {
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (is_about(&rules[i], function, call)) return true;
    }
    return false;
}

const struct rule *find_rule(const char *function, enum call call, int which, int *error) {
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (!is_about(&rules[i], function, call)) continue;
        for (const int *one = rules[i].errors; *one != 0; one++) {
            if (which-- > 0) continue;
            *error = *one;
            return &rules[i];
        }
    }
    return NULL;
}
