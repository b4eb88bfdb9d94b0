/// What must hold, or the loop is broken: in every build, unlike assert.
#ifndef EL_INVARIANT_H
#define EL_INVARIANT_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static inline void must_hold(bool holds, const char *sentence) {
    if (holds) return;
    fprintf(stderr, "CEventLoop is broken: %s does not hold\n", sentence);
    abort();
}

#endif
