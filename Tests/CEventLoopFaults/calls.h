// Every call by which the reactor asks the system for something. Included with CALL(name) defined; a call
// that does several things has a name for each.

CALL(malloc)
CALL(calloc)
CALL(realloc)
CALL(aligned_alloc)
CALL(free)

CALL(epoll_create1)
CALL(epoll_ctl_add)
CALL(epoll_ctl_mod)
CALL(epoll_ctl_del)
CALL(epoll_wait)

CALL(timerfd_create)
CALL(timerfd_settime)
CALL(clock_gettime)

CALL(eventfd)
CALL(signalfd)
CALL(pthread_sigmask_block)
CALL(pthread_sigmask_restore)

CALL(pidfd_open)
CALL(pidfd_send_signal)
CALL(waitid)

CALL(dup3)

CALL(read)
CALL(write)
CALL(close)

CALL(accept4)
