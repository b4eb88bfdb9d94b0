/// Between the reactor and the system: here a call can be made to fail, as if the system had said so.
///
/// The reactor's objects are those of any other build. Before they are linked with the tests, each call
/// of theirs that leaves the reactor, `read` say, is renamed to `fault_read` (Scripts/test-faults), which
/// seam.c defines. A call that is new in the reactor does not link until it is defined there as well.
#ifndef EL_FAULTS_SEAM_H
#define EL_FAULTS_SEAM_H

#include <stdbool.h>
#include <stddef.h>

enum call {
#define CALL(name) CALL_##name,
#include "calls.h"
#undef CALL
    CALL_COUNT
};

struct rule;

extern const char *const call_names[CALL_COUNT];

/// Which call fails, how, and how often.
struct fault {
    int at;    // the n-th call of a scenario, from 1; 0: no fault
    int which; // the n-th of the errors that its rules list, from 0
    int times; // this call, and so many of the same function's same calls after it
    // What came of it:
    bool is_reached;         // the scenario made that many calls
    const struct rule *rule; // NULL: not reached, or its rules list no such error
    int error;
    bool is_now; // it has failed a call of the function that is running
};

enum { MOST_FAULTS = 2 };
extern struct fault faults[MOST_FAULTS];

/// Forgets what came of the faults, and counts calls, blocks and descriptors from 0 again.
void seam_begin(void);
/// From here to seam_leave, the calls belong to this function of the reactor.
void seam_enter(const char *function);
void seam_leave(void);

/// The function of the reactor that is running.
const char *seam_function(void);

/// What the reactor holds of the system: blocks of memory that it has not freed, descriptors that it has
/// opened and not closed.
int seam_blocks(void);
int seam_descriptors(void);
/// How many calls were failed since the program began.
extern long seam_injected[CALL_COUNT];

#endif
