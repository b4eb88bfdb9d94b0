#include "reference.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "breach.h"

void reference_open(struct reference *reference, const struct descriptors *descriptors, int own_slot) {
    memset(reference, 0, sizeof *reference);
    reference->descriptors = descriptors;
    reference->own_slot = own_slot;
}

/// `result` must be one of the two.
static void expect(const char *call, int result, int one, int other) {
    if (result != one && result != other)
        breach("%s returned %d instead of %d or %d", call, result, one, other);
}

// MARK: - What the table and the kernel know

static uint32_t file_at(const struct reference *reference, int slot) {
    return slot == NO_SLOT ? 0 : reference->descriptors->slots[slot].file;
}

/// Its number still stands for the file that was registered.
static bool is_live(const struct reference *reference, int slot) {
    const struct registration *registration = &reference->registrations[slot];
    return registration->exists && registration->file == file_at(reference, slot);
}

static struct ghost *find_ghost(struct reference *reference, int slot, uint32_t file) {
    for (int i = 0; i < reference->ghost_count; i++) {
        struct ghost *ghost = &reference->ghosts[i];
        if (ghost->slot == slot && ghost->file == file) return ghost;
    }
    return NULL;
}

static void drop_ghost(struct reference *reference, struct ghost *ghost) {
    *ghost = reference->ghosts[--reference->ghost_count];
}

/// The table forgets a registration whose watch the kernel keeps, if a duplicate holds the file.
static void leave_ghost(struct reference *reference, int slot, bool is_certain) {
    const struct registration *left = &reference->registrations[slot];
    if (left->is_watched == NO) return;
    if (!descriptors_holds(reference->descriptors, left->file)) return;
    struct ghost *known = find_ghost(reference, slot, left->file);
    if (known == NULL) known = &reference->ghosts[reference->ghost_count++];
    *known = (struct ghost){left->file, slot, left->interest, left->mode, left->is_spent, is_certain};
}

bool reference_cannot_tell(const struct reference *reference, int slot, uint32_t file) {
    const struct registration *registration = &reference->registrations[slot];
    if (!registration->exists || registration->file == file) return false;
    for (int i = 0; i < reference->ghost_count; i++) {
        if (reference->ghosts[i].slot == slot && reference->ghosts[i].file == file) return true;
    }
    return false;
}

static void register_file(struct reference *reference, int slot, el_interest interest, el_mode mode,
                          uint64_t token) {
    uint32_t file = file_at(reference, slot);
    reference->registrations[slot] = (struct registration){
        .exists = true,
        .is_watched = interest == 0 ? NO : YES,
        .file = file,
        .token = token,
        .interest = interest,
        .mode = mode,
        .may_repeat = true,
        .owed = descriptors_level(reference->descriptors, file),
    };
}

static bool is_valid(el_interest interest, el_mode mode) { return interest <= 7 && mode <= EL_ONE_SHOT; }

/// Whether `other` watches this loop, so that this loop may not watch `other` at `slot`.
static enum knowledge is_watched_by(const struct reference *reference, const struct reference *other,
                                    int slot) {
    if (slot != other->own_slot) return NO;
    const struct registration *watch = &other->registrations[reference->own_slot];
    return watch->exists ? watch->is_watched : NO;
}

void reference_add(struct reference *reference, const struct reference *other, int slot, el_interest interest,
                   el_mode mode, uint64_t token, int result) {
    const char *call = "el_fd_add";
    if (!is_valid(interest, mode)) return expect(call, result, -EINVAL, -EINVAL);
    uint32_t file = file_at(reference, slot);
    if (file == 0) return expect(call, result, -EBADF, -EBADF);
    if (slot == reference->own_slot) return expect(call, result, -EINVAL, -EINVAL);
    enum knowledge is_cycle = is_watched_by(reference, other, slot);
    struct registration *old = &reference->registrations[slot];
    if (is_live(reference, slot) && old->is_watched == YES && !old->may_be_forgotten) {
        return expect(call, result, -EEXIST, -EEXIST);
    }
    if (is_cycle == YES) return expect(call, result, -ELOOP, -ELOOP);
    bool is_doubtful = is_live(reference, slot) && old->is_watched != NO;
    if (is_cycle == MAYBE && result == -ELOOP) return;
    expect(call, result, 0, is_doubtful ? -EEXIST : 0);
    if (result == -EEXIST) { // then the set was not rebuilt meanwhile
        old->is_watched = YES;
        old->may_be_forgotten = false;
    }
    if (result != 0) return;
    if (old->exists && old->file != file) {
        leave_ghost(reference, slot, old->is_watched == YES && !old->may_be_forgotten);
    }
    struct ghost *ghost = find_ghost(reference, slot, file);
    if (ghost != NULL) drop_ghost(reference, ghost);
    register_file(reference, slot, interest, mode, token);
}

void reference_modify(struct reference *reference, const struct reference *other, int slot,
                      el_interest interest, el_mode mode, uint64_t token, int result) {
    const char *call = "el_fd_modify";
    if (!is_valid(interest, mode)) return expect(call, result, -EINVAL, -EINVAL);
    if (slot == NO_SLOT || !reference->registrations[slot].exists) {
        return expect(call, result, -ENOENT, -ENOENT);
    }
    struct registration *old = &reference->registrations[slot];
    uint32_t file = file_at(reference, slot);
    // Without a watch, the kernel is asked to add whatever the number stands for by now.
    int when_unwatched = 0;
    enum knowledge is_cycle = is_watched_by(reference, other, slot);
    if (interest != 0) when_unwatched = file == 0 ? -EBADF : is_cycle == YES ? -ELOOP : 0;
    int when_watched = is_live(reference, slot) ? 0 : file == 0 ? -EBADF : -ENOENT;
    if (old->may_be_forgotten && result == -ENOENT) {
        if (is_live(reference, slot)) old->exists = false;
        return;
    }
    if (old->is_watched != YES && interest != 0 && is_cycle == MAYBE && result == -ELOOP) return;
    expect(call, result, old->is_watched == NO ? when_unwatched : when_watched,
           old->is_watched == YES ? when_watched : when_unwatched);
    if (result == 0) register_file(reference, slot, interest, mode, token);
}

void reference_remove(struct reference *reference, int slot, int result) {
    const char *call = "el_fd_remove";
    if (slot == NO_SLOT || !reference->registrations[slot].exists) {
        return expect(call, result, -ENOENT, -ENOENT);
    }
    struct registration *old = &reference->registrations[slot];
    int when_watched = is_live(reference, slot) ? 0 : -EBADF;
    if (!old->may_be_forgotten || result != -ENOENT) {
        expect(call, result, old->is_watched == NO ? 0 : when_watched,
               old->is_watched == YES ? when_watched : 0);
        if (result == -EBADF) leave_ghost(reference, slot, true);
    }
    old->exists = false;
}

// MARK: - Timers and the clock

/// The earliest deadline, of equal ones the first started; NULL when there is no timer.
static const struct timer *find_first(const struct reference *reference) {
    const struct timer *first = NULL;
    for (int i = 0; i < reference->timer_count; i++) {
        const struct timer *timer = &reference->timers[i];
        if (first == NULL || timer->deadline_ns < first->deadline_ns) first = timer;
    }
    return first;
}

uint64_t reference_earliest(const struct reference *reference) {
    const struct timer *first = find_first(reference);
    return first == NULL ? EL_NEVER : first->deadline_ns;
}

el_timer reference_first(const struct reference *reference) {
    const struct timer *first = find_first(reference);
    return first == NULL ? 0 : first->id;
}

static struct timer *find_timer(struct reference *reference, el_timer id) {
    for (int i = 0; i < reference->timer_count; i++) {
        if (reference->timers[i].id == id) return &reference->timers[i];
    }
    return NULL;
}

static void drop_timer(struct reference *reference, struct timer *timer) {
    reference->dead_ids[reference->dead_count++ % DEAD_IDS] = timer->id;
    struct timer *last = &reference->timers[--reference->timer_count];
    memmove(timer, timer + 1, (size_t)(last - timer) * sizeof *timer);
}

void reference_start(struct reference *reference, uint64_t deadline_ns, uint64_t token, el_timer result) {
    if (result == 0) return breach("el_timer_start returned 0");
    if (find_timer(reference, result) != NULL) return breach("a live timer's id was given out again");
    for (unsigned i = 0; i < DEAD_IDS && i < reference->dead_count; i++) {
        if (reference->dead_ids[i] == result) return breach("a dead timer's id was given out again");
    }
    reference->timers[reference->timer_count++] = (struct timer){result, deadline_ns, token};
}

void reference_cancel(struct reference *reference, el_timer id, int result) {
    struct timer *timer = find_timer(reference, id);
    int expected = timer == NULL ? -ENOENT : 0;
    expect("el_timer_cancel", result, expected, expected);
    if (timer != NULL) drop_timer(reference, timer);
}

void reference_advance(struct reference *reference, uint64_t duration_ns, int result) {
    expect("el_clock_advance", result, 0, 0);
    uint64_t room_ns = EL_NEVER - 1 - reference->now_ns;
    reference->now_ns += duration_ns < room_ns ? duration_ns : room_ns;
}

/// The timer that is due next, or NULL.
static struct timer *next_due(struct reference *reference) {
    const struct timer *first = find_first(reference);
    if (first == NULL || first->deadline_ns > reference->now_ns) return NULL;
    return &reference->timers[first - reference->timers];
}

void reference_arm(const struct reference *reference, int result) {
    int expected = reference_earliest(reference) <= reference->now_ns ? 1 : 0;
    expect("el_loop_arm", result, expected, expected);
}

// MARK: - Readiness

static uint32_t flags_of(el_interest interest) {
    uint32_t flags = EL_READY_HANGUP | EL_READY_ERROR;
    if (interest & EL_READ) flags |= EL_READY_READ | EL_READY_READ_HANGUP;
    if (interest & EL_WRITE) flags |= EL_READY_WRITE;
    if (interest & EL_PRIORITY) flags |= EL_READY_PRIORITY;
    return flags;
}

/// What an event of this registration would carry.
static uint32_t ready_of(const struct reference *reference, const struct registration *registration) {
    if (registration->interest == 0) return 0;
    return descriptors_level(reference->descriptors, registration->file) & flags_of(registration->interest);
}

static bool may_report(const struct reference *reference, int slot) {
    const struct registration *registration = &reference->registrations[slot];
    if (!registration->exists || registration->is_spent) return false;
    if (registration->mode == EL_EDGE && !registration->may_repeat) return false;
    return ready_of(reference, registration) != 0;
}

static bool must_report(const struct reference *reference, int slot) {
    const struct registration *registration = &reference->registrations[slot];
    if (!may_report(reference, slot) || !is_live(reference, slot)) return false;
    if (registration->may_be_forgotten || registration->is_watched != YES) return false;
    uint32_t ready = ready_of(reference, registration) & ~registration->silent;
    return (registration->mode == EL_EDGE ? ready & registration->owed : ready) != 0;
}

bool reference_must_report(const struct reference *reference) {
    if (reference->is_rung) return true;
    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        if (must_report(reference, slot)) return true;
    }
    return false;
}

void reference_note_activity(struct reference *reference, uint32_t file) {
    if (file == 0) return;
    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        struct registration *registration = &reference->registrations[slot];
        if (registration->exists && registration->file == file) registration->may_repeat = true;
    }
}

static void forget_closed_files(struct reference *reference) {
    for (int i = reference->ghost_count - 1; i >= 0; i--) {
        struct ghost *ghost = &reference->ghosts[i];
        if (!descriptors_holds(reference->descriptors, ghost->file)) drop_ghost(reference, ghost);
    }
}

void reference_note_levels(struct reference *reference, uint32_t silent_file) {
    forget_closed_files(reference);
    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        struct registration *registration = &reference->registrations[slot];
        if (!registration->exists) continue;
        uint32_t level = descriptors_level(reference->descriptors, registration->file);
        uint32_t rose = level & ~descriptors_level_before(reference->descriptors, registration->file);
        if (registration->file == silent_file) {
            registration->silent |= rose;
        } else if (rose & flags_of(registration->interest)) {
            registration->owed |= rose;
        }
        registration->owed &= level;
        if (!must_report(reference, slot)) registration->passed = 0;
    }
    for (int i = 0; i < reference->ghost_count; i++) {
        if (reference->ghosts[i].file == silent_file) reference->ghosts[i].is_certain = false;
    }
}

// MARK: - A wait

/// A ghost came up, perhaps or certainly, so the loop built its epoll set anew from its table.
static void note_rebuild(struct reference *reference, bool is_certain) {
    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        struct registration *registration = &reference->registrations[slot];
        if (!registration->exists || registration->is_watched == NO) continue;
        registration->may_repeat = true;
        if (registration->is_spent) {
            registration->is_watched = is_certain ? NO : MAYBE;
        } else if (!is_live(reference, slot)) {
            registration->may_be_forgotten = true;
            if (is_certain) registration->exists = false;
        }
    }
    if (is_certain) reference->ghost_count = 0;
    for (int i = 0; i < reference->ghost_count; i++) reference->ghosts[i].is_certain = false;
}

static bool is_ready(const struct reference *reference, const struct ghost *ghost) {
    return !ghost->is_spent &&
           (descriptors_level(reference->descriptors, ghost->file) & flags_of(ghost->interest)) != 0;
}

/// Ghosts that may have come up, and whether one must have when all of them were looked at.
static int count_ready_ghosts(const struct reference *reference, bool *any_certain) {
    int count = 0;
    *any_certain = false;
    for (int i = 0; i < reference->ghost_count; i++) {
        const struct ghost *ghost = &reference->ghosts[i];
        if (!is_ready(reference, ghost)) continue;
        count++;
        if (ghost->is_certain && ghost->mode == EL_LEVEL) *any_certain = true;
    }
    return count;
}

static int slot_of_token(const struct reference *reference, uint64_t token) {
    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        const struct registration *registration = &reference->registrations[slot];
        if (registration->exists && registration->token == token) return slot;
    }
    return NO_SLOT;
}

static void check_descriptor(const struct reference *reference, const el_event *event, bool reported[]) {
    int slot = slot_of_token(reference, event->token);
    if (slot == NO_SLOT) {
        return breach("an event has the token %llu, which is nobody's", (unsigned long long)event->token);
    }
    int number = reference->descriptors->slots[slot].number;
    if (reported[slot]) return breach("fd %d was reported twice in one wait", number);
    reported[slot] = true;
    uint32_t ready = ready_of(reference, &reference->registrations[slot]);
    if (event->ready != ready) {
        return breach("fd %d was reported as ready for %u instead of %u", number, event->ready, ready);
    }
    if (!may_report(reference, slot)) {
        bool is_edge = reference->registrations[slot].mode == EL_EDGE;
        breach("fd %d was reported %s", number, is_edge ? "again without a change" : "though it is spent");
    }
}

static int take_due(struct reference *reference, const el_event *events, int count, int room) {
    int taken = 0;
    struct timer *due;
    while (taken < room && (due = next_due(reference)) != NULL) {
        if (taken == count) {
            breach("%d events, and timer %llu is due and missing", count, (unsigned long long)due->token);
            break;
        }
        const el_event *event = &events[taken++];
        uint64_t late_ns = reference->now_ns - due->deadline_ns;
        uint32_t late = late_ns < UINT32_MAX ? (uint32_t)late_ns : UINT32_MAX;
        if (event->kind != EL_EVENT_TIMER || event->token != due->token || event->ready != late) {
            breach("an event of kind %d with token %llu stands where timer %llu is due", (int)event->kind,
                   (unsigned long long)event->token, (unsigned long long)due->token);
            break;
        }
        drop_timer(reference, due);
    }
    return taken;
}

/// What an event means for its registration from now on.
static void note_report(struct registration *registration) {
    registration->may_repeat = false;
    registration->owed = registration->silent = 0;
    registration->passed = 0;
    if (registration->mode == EL_ONE_SHOT) registration->is_spent = true;
}

/// The kernel hands descriptors out in turn: none may be passed over for longer than one round.
static void note_passed(int *passed, int reported_count, bool is_disturbed, const char *what, int number) {
    *passed = is_disturbed ? 0 : *passed + reported_count;
    if (*passed > SLOT_COUNT + 1) breach("%s %d was passed over %d times", what, number, *passed);
}

/// Checks the descriptors and the wake, which come in any order. Returns how many there are.
static int take_descriptors(struct reference *reference, const el_event *events, int count, int room,
                            bool is_all) {
    bool any_certain;
    int ghosts = count_ready_ghosts(reference, &any_certain);
    if (ghosts > 0) note_rebuild(reference, false); // it may happen first, and show in this very wait
    bool reported[SLOT_COUNT] = {false}, owed[SLOT_COUNT], has_woken = false, was_rung = reference->is_rung;
    bool any_owed = was_rung;
    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        owed[slot] = must_report(reference, slot);
        any_owed = any_owed || owed[slot];
    }
    int taken = 0;
    while (taken < count && (events[taken].kind == EL_EVENT_FD || events[taken].kind == EL_EVENT_WAKE)) {
        const el_event *event = &events[taken++];
        if (event->kind == EL_EVENT_FD) {
            check_descriptor(reference, event, reported);
        } else if (!reference->is_rung || event->token != 0 || event->ready != 0) {
            breach("a wake that nobody rang for");
        } else {
            has_woken = true;
            reference->is_rung = false;
        }
    }
    // Ghosts take places in the kernel's batch, which then stay empty.
    bool has_seen_all = taken + ghosts < room;
    bool must_have_all = has_seen_all || (is_all && taken == 0);
    bool is_disturbed = ghosts > 0;
    if (is_all && taken == 0 && any_owed) breach("nothing was reported, though something is ready");
    if (must_have_all && was_rung && !has_woken) breach("a wake was lost");
    if (was_rung && !has_woken) note_passed(&reference->wake_passed, taken, is_disturbed, "wake", 0);
    if (has_woken) reference->wake_passed = 0;
    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        struct registration *registration = &reference->registrations[slot];
        int number = reference->descriptors->slots[slot].number;
        if (reported[slot]) {
            note_report(registration);
        } else if (owed[slot]) {
            if (must_have_all) breach("fd %d is ready and was not reported", number);
            note_passed(&registration->passed, taken, is_disturbed, "fd", number);
        } else {
            registration->passed = 0;
        }
        // What the kernel had to say has been said.
        if (has_seen_all && !is_disturbed) registration->may_repeat = false;
    }
    if (ghosts > 0) note_rebuild(reference, has_seen_all && any_certain);
    return taken;
}

void reference_wait(struct reference *reference, const el_event *events, int capacity, int result) {
    if (capacity < 1) return expect("el_loop_wait", result, -EINVAL, -EINVAL);
    if (result < 0 || result > capacity) return breach("el_loop_wait returned %d", result);
    int count = 0;
    if (reference->owes_timers) count = take_due(reference, events, result, capacity);
    reference->owes_timers = false;
    if (count < capacity) {
        // Without a timer to report, the wait goes on until it has found what is ready.
        bool is_all = count == 0 && next_due(reference) == NULL;
        count += take_descriptors(reference, events + count, result - count, capacity - count, is_all);
        count += take_due(reference, events + count, result - count, capacity - count);
        reference->owes_timers = next_due(reference) != NULL;
    }
    if (count != result) breach("%d events were expected, and %d came", count, result);
}

// MARK: - Between calls

static bool is_any_allowed(const struct reference *reference) {
    bool any_certain;
    if (reference->is_rung || count_ready_ghosts(reference, &any_certain) > 0) return true;
    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        if (may_report(reference, slot)) return true;
    }
    return false;
}

void reference_check(const struct reference *reference, el_loop *loop, bool is_asking) {
    el_loop_check(loop);
    if (el_loop_now(loop) != reference->now_ns) breach("el_loop_now is not what the clock was set to");
    if (el_timer_count(loop) != (uint64_t)reference->timer_count) {
        breach("el_timer_count is %llu instead of %d", (unsigned long long)el_timer_count(loop),
               reference->timer_count);
    }
    if (is_asking && el_timer_earliest(loop) != reference_earliest(reference)) {
        breach("el_timer_earliest is %llu instead of %llu", (unsigned long long)el_timer_earliest(loop),
               (unsigned long long)reference_earliest(reference));
    }
    const struct slot *own = &reference->descriptors->slots[reference->own_slot];
    if (own->file == 0) return; // nobody asked for el_loop_fd yet
    if (el_loop_fd(loop) != own->number) breach("el_loop_fd is not the number that it was");
    bool is_readable = own->level & EL_READY_READ;
    if (!is_readable && reference_must_report(reference))
        breach("events wait, and el_loop_fd is not readable");
    if (is_readable && !is_any_allowed(reference)) breach("el_loop_fd is readable, and there is nothing");
}
