/// Takes the backtrace of another thread of this process while it runs, and finds the names in it.
#ifndef CBACKTRACE_H
#define CBACKTRACE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/// Lets the calling thread be looked at by bt_capture until it calls bt_close, and notes in `was_blocked`
/// whether it blocked the signal that this needs, SIGURG, before. Threads may do so at the same time; with
/// the first the signal gets a handler, with the last it gets the former one back. SIGURG, because it is
/// ignored by default: one that comes late does no harm. Others' handler still hears of those that others
/// send.
///
/// While it is open, a system call of the thread that is interrupted by a capture goes on by itself, but for
/// those that no handler's flags let go on (signal(7)): poll, nanosleep and their like fail with EINTR.
///
/// @return 0, or a negated errno.
int bt_open(bool *was_blocked);
void bt_close(bool was_blocked);

/// Writes the addresses that `thread` is at, innermost first: where it is, and the returns from there.
/// The thread lives, and has called bt_open. If it answers, `nanoseconds` says when, on CLOCK_MONOTONIC.
///
/// @return How many there are, or 0 when the thread did not answer for a second.
int bt_capture(pthread_t thread, uintptr_t *addresses, int capacity, uint64_t *nanoseconds);

/// What stands at an address.
struct bt_place {
    /// The name as it was mangled; NULL if no symbol has the address. To be freed with bt_place_free.
    char *symbol;
    /// From the symbol's beginning on.
    uintptr_t offset;
    /// The program's or library's file, and the address in it.
    char *file;
    uintptr_t file_address;
};

/// Finds the symbol whose code has the address, private ones too if the file was not stripped.
///
/// @return Whether a file has the address.
bool bt_find(uintptr_t address, struct bt_place *place);
void bt_place_free(struct bt_place *place);

/// The name as it was written, in Swift or C++; NULL if it is no such name, or their runtimes are not there
/// to be asked. To be freed by the caller.
char *bt_demangle(const char *symbol);

#endif
