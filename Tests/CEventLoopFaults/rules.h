/// What each function of the reactor owes its caller when a call of its own fails.
#ifndef EL_FAULTS_RULES_H
#define EL_FAULTS_RULES_H

#include "seam.h"

enum fate {
    RETURNED,  // the caller gets the error, all is as before, and the same call works when its turn comes
    EITHER,    // one of RETURNED and ABSORBED: what the call was for can be done without, or cannot
    ABSORBED,  // the caller notices nothing, but that an event may come a wait later
    FORGOTTEN, // what was to be removed is gone, and the caller gets -EBADF
};

struct rule {
    const char *function;
    enum call call;
    enum fate fate;
    int errors[10]; // those that can happen there, up to the first 0
};

/// Whether somebody has thought of that function making that call.
bool has_rule(const char *function, enum call call);
/// The rule of the n-th error, from 0, that the call can end with, and that error. NULL: there are fewer.
const struct rule *find_rule(const char *function, enum call call, int which, int *error);

#endif
