/// What a loop must do, by the header's words: plain arrays, searched from end to end.
///
/// Each reference_… function takes what the real loop answered, says with breach() when the contract does
/// not allow it, and keeps book.
#ifndef EL_MODEL_REFERENCE_H
#define EL_MODEL_REFERENCE_H

#include "CEventLoop.h"
#include "descriptors.h"

enum { MOST_TIMERS = 1024, DEAD_IDS = 64, MOST_GHOSTS = POOL_SLOTS * POOL_SLOTS };

/// Whether the kernel's set holds a watch. Most of the time it is known.
enum knowledge { NO, MAYBE, YES };

struct registration {
    bool exists;
    bool may_be_forgotten; // its number was closed, and the loop may have noticed
    enum knowledge is_watched;
    uint32_t file; // what the number stood for
    uint64_t token;
    el_interest interest;
    el_mode mode;
    bool is_spent;   // a one-shot that has fired
    bool may_repeat; // edge: something happened since the last event
    uint32_t owed;   // edge: flags that rose since the last event
    uint32_t silent; // flags that rose without the kernel telling anybody
    int passed;      // descriptors that were reported while this one was owed
};

/// A watch that the kernel has and the loop has forgotten: its number was closed while a duplicate was
/// open. Its events are nobody's.
struct ghost {
    uint32_t file;
    int slot;
    el_interest interest;
    el_mode mode;
    bool is_spent;   // a one-shot that has fired: it keeps its number and is silent
    bool is_certain; // a rebuilt set would not have it any more
};

struct timer {
    el_timer id;
    uint64_t deadline_ns, token;
};

struct reference {
    const struct descriptors *descriptors;
    int own_slot; // of el_loop_fd
    uint64_t now_ns;
    bool is_rung;
    int wake_passed;
    bool owes_timers;
    struct registration registrations[SLOT_COUNT];
    struct ghost ghosts[MOST_GHOSTS];
    int ghost_count;
    struct timer timers[MOST_TIMERS]; // in the order of their start
    int timer_count;
    el_timer dead_ids[DEAD_IDS];
    unsigned dead_count; // the last ones are in dead_ids
};

void reference_open(struct reference *reference, const struct descriptors *descriptors, int own_slot);

/// A number that nobody ever opens stands in place of a slot.
enum { NO_SLOT = -1 };

/// `other`: the loop whose descriptor the slot may be, since loops cannot watch each other.
void reference_add(struct reference *reference, const struct reference *other, int slot, el_interest interest,
                   el_mode mode, uint64_t token, int result);
void reference_modify(struct reference *reference, const struct reference *other, int slot,
                      el_interest interest, el_mode mode, uint64_t token, int result);
void reference_remove(struct reference *reference, int slot, int result);

void reference_start(struct reference *reference, uint64_t deadline_ns, uint64_t token, el_timer result);
void reference_cancel(struct reference *reference, el_timer id, int result);
void reference_advance(struct reference *reference, uint64_t duration_ns, int result);
void reference_arm(const struct reference *reference, int result);
void reference_wait(struct reference *reference, const el_event *events, int capacity, int result);

/// Something was done to a file, or to its other end.
void reference_note_activity(struct reference *reference, uint32_t file);
/// After each look at the descriptors. `silent_file`: what rose there, the kernel told nobody.
void reference_note_levels(struct reference *reference, uint32_t silent_file);

/// Whether the number would come to stand for a file of which there is a ghost of the same number, while
/// another's registration is in the table: nobody could tell the two apart.
bool reference_cannot_tell(const struct reference *reference, int slot, uint32_t file);

/// Something must be reported, so that a wait ends.
bool reference_must_report(const struct reference *reference);
uint64_t reference_earliest(const struct reference *reference);
/// The timer that will be the first to be due, or 0.
el_timer reference_first(const struct reference *reference);

/// What must hold between any two calls. `is_asking`: also for the earliest deadline, which may change how
/// the timers are kept.
void reference_check(const struct reference *reference, el_loop *loop, bool is_asking);

#endif
