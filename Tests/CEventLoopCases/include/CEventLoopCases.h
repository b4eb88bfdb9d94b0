/// The rules of CEventLoop, each as a named case that shows it.
///
/// A case changes what belongs to its process (signal masks, limits) and counts its descriptors: run it
/// in a process of its own, with no other thread. CEventLoopRunner does that.
#ifndef CEVENTLOOP_CASES_H
#define CEVENTLOOP_CASES_H

#include <stdbool.h>
#include <stddef.h>

struct el_case {
    const char *name;
    void (*run)(void);
};

extern const struct el_case el_cases[];

int el_case_count(void);
const char *el_case_name(int index);

/// Runs one case. Returns NULL when the rule holds, or the sentence that says where it does not.
const char *el_case_run(int index);

/// Runs one case in a process of its own, and writes what that said to `output` (NUL-terminated).
bool el_case_run_apart(int index, char *output, size_t capacity);

#endif
