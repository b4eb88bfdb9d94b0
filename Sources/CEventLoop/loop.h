/// What a loop is made of.
#ifndef EL_LOOP_H
#define EL_LOOP_H

#include "children.h"
#include "clock.h"
#include "poller.h"
#include "signals.h"
#include "timers.h"
#include "wake.h"

struct el_loop {
    struct clock clock;
    struct timers timers;
    struct wake wake;
    struct signals signals;
    struct children children;
    bool owes_timers; // the last wait had due timers and no room for them
    struct poller poller;
};

#endif
