/// What the cases share: expectations, and the descriptors and loops they play with.
#ifndef EL_CASES_SUPPORT_H
#define EL_CASES_SUPPORT_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

#include "CEventLoop.h"

/// Opens a case. The name is the rule; list.h holds them all.
#define CASE(name) void case_##name(void)

#define CASE_IN_LIST(name) CASE(name);
#include "list.h"
#undef CASE_IN_LIST

/// Records the first expectation that does not hold and leaves the function.
#define EXPECT(condition)                                                                                    \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fail(__FILE__, __LINE__, #condition);                                                            \
            return;                                                                                          \
        }                                                                                                    \
    } while (0)

/// Leaves the case, saying why this machine cannot show the rule.
#define SKIP(reason)                                                                                         \
    do {                                                                                                     \
        skip(reason);                                                                                        \
        return;                                                                                              \
    } while (0)

void fail(const char *file, int line, const char *expectation);
void skip(const char *reason);
bool has_failed(void);

/// Ends a process that a case has forked, and says why where an expectation did not hold there.
_Noreturn void end_child(void);
/// Waits for such a process. True: all held.
bool child_held(int pid);

enum { MANY = 64 };
static const uint64_t MICROSECOND = 1000, MILLISECOND = 1000000, SECOND = 1000000000;

// Setting up; anything unexpected aborts.

el_loop *make_loop(el_clock clock);
/// Two connected stream sockets, non-blocking.
void make_pair(int ends[2]);
void close_pair(const int ends[2]);
/// An eventfd that is readable.
int make_ready(void);
void send_byte(int fd);
void drain(int fd);

// Looking at a loop

/// Takes what there is without waiting.
int poll_loop(el_loop *loop, el_event *out, int capacity);
/// Nothing to report, and nothing that keeps the kernel's set ready: a wait would sleep.
bool is_quiet(el_loop *loop);
/// The fd, watched by someone else, is readable.
bool is_readable(int fd);
/// Starts a timer a millisecond ahead and sets the alarm to it, again and again until the alarm was set
/// in time: a busy machine may take that millisecond away.
el_timer arm_soon(el_loop *loop, uint64_t token);
/// The next poll gives exactly this descriptor event.
bool gives_only(el_loop *loop, uint64_t token, uint32_t ready);

// Looking at the process

int count_open_fds(void);
/// Lowers the process's limit so that `room` more descriptors can be opened. Returns the old limit.
struct rlimit limit_free_fds(int room);
void restore_limit(struct rlimit limit);

/// From here on the process gets no more memory from the kernel. Returns false where that would break the
/// sanitizer that this was built with.
bool stop_memory(struct rlimit *old);
void restore_memory(struct rlimit old);

#endif
