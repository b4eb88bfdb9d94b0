#define _GNU_SOURCE

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "breach.h"
#include "descriptors.h"
#include "model.h"
#include "reference.h"

enum { MOST_EVENTS = 64, UNOPENED_NUMBER = 900 };

struct run {
    struct descriptors descriptors;
    el_loop *loops[LOOP_COUNT];
    struct reference references[LOOP_COUNT];
    uint64_t last_token;
    uint64_t last_deadline_ns;
    uint32_t silent_file;
    FILE *trace;
    size_t step;
    bool is_numbered; // this step's line has its number
};

/// One operation: its code, whom it is for, and three bytes that it takes as it likes.
struct operation {
    enum operation_code code;
    int loop;
    bool is_asking;
    uint8_t a, b, c;
};

static struct operation decode(const uint8_t *bytes) {
    int code = bytes[0] & (MOST_CODES - 1);
    return (struct operation){
        .code = code < OPERATION_CODES ? (enum operation_code)code : WAIT,
        .loop = bytes[0] & SECOND_LOOP ? 1 : 0,
        .is_asking = !(bytes[0] & NOT_ASKING),
        .a = bytes[1],
        .b = bytes[2],
        .c = bytes[3],
    };
}

__attribute__((format(printf, 2, 3))) static void trace(struct run *run, const char *format, ...) {
    if (run->trace == NULL) return;
    if (!run->is_numbered) fprintf(run->trace, "%4zu  ", run->step);
    run->is_numbered = true;
    va_list arguments;
    va_start(arguments, format);
    vfprintf(run->trace, format, arguments);
    va_end(arguments);
    fflush(run->trace); // the next call may be the last
}

// MARK: - Life

static void create_loop(struct run *run, int index) {
    must(el_loop_create(EL_CLOCK_MANUAL, &run->loops[index]) == 0, "el_loop_create");
    reference_open(&run->references[index], &run->descriptors, POOL_SLOTS + index);
}

/// Makes a loop's own descriptor one of those that can be watched.
static void show(struct run *run, int index) {
    if (run->descriptors.slots[POOL_SLOTS + index].file != 0) return;
    int number = el_loop_fd(run->loops[index]);
    must(number >= 0, "el_loop_fd");
    descriptors_show_loop(&run->descriptors, index, number);
}

static void restart(struct run *run, int index) {
    int other = 1 - index, slot = POOL_SLOTS + index;
    struct reference *watcher = &run->references[other];
    if (watcher->registrations[slot].exists) {
        int result = el_fd_remove(run->loops[other], run->descriptors.slots[slot].number);
        reference_remove(watcher, slot, result);
    }
    trace(run, "loop %d: destroyed and created anew\n", index);
    el_loop_destroy(run->loops[index]);
    descriptors_show_loop(&run->descriptors, index, -1);
    create_loop(run, index);
}

// MARK: - Files

static void note_activity(struct run *run, int slot) {
    const struct slot *place = &run->descriptors.slots[slot];
    for (int index = 0; index < LOOP_COUNT; index++) {
        reference_note_activity(&run->references[index], place->file);
        reference_note_activity(&run->references[index], place->peer);
    }
}

static void open_pair(struct run *run, const struct operation *operation) {
    int one = operation->a % POOL_SLOTS, other = operation->b % POOL_SLOTS;
    if (one == other) return;
    // What these numbers stood for is closed by this.
    note_activity(run, one);
    note_activity(run, other);
    const struct slot *slots = run->descriptors.slots;
    const char *kind = operation->code == OPEN_PIPE ? "pipe" : "sockets";
    trace(run, "open %s: fd %d and fd %d\n", kind, slots[one].number, slots[other].number);
    if (operation->code == OPEN_PIPE) {
        descriptors_make_pipe(&run->descriptors, one, other);
    } else {
        descriptors_make_sockets(&run->descriptors, one, other);
    }
}

static void open_event(struct run *run, const struct operation *operation) {
    int slot = operation->a % POOL_SLOTS;
    note_activity(run, slot);
    trace(run, "open eventfd: fd %d, count %d\n", run->descriptors.slots[slot].number, operation->c & 1);
    descriptors_make_event(&run->descriptors, slot, operation->c & 1);
}

static void close_slot(struct run *run, int slot) {
    if (run->descriptors.slots[slot].file == 0) return;
    note_activity(run, slot);
    trace(run, "close fd %d\n", run->descriptors.slots[slot].number);
    descriptors_close_slot(&run->descriptors, slot);
}

static void duplicate(struct run *run, int from, int to) {
    const struct slot *slots = run->descriptors.slots;
    if (from == to || slots[from].file == 0 || slots[from].file == slots[to].file) return;
    for (int index = 0; index < LOOP_COUNT; index++) {
        if (reference_cannot_tell(&run->references[index], to, slots[from].file)) return;
    }
    note_activity(run, to);
    trace(run, "dup fd %d to fd %d\n", slots[from].number, slots[to].number);
    descriptors_duplicate(&run->descriptors, from, to);
}

static void write_or_read(struct run *run, const struct operation *operation, int slot) {
    const struct slot *place = &run->descriptors.slots[slot];
    if (place->file == 0) return;
    bool is_write = operation->code == WRITE;
    bool any = is_write ? descriptors_write(&run->descriptors, slot, operation->c)
                        : descriptors_read(&run->descriptors, slot, operation->c);
    trace(run, "%s fd %d (%d): %s\n", is_write ? "write" : "read", place->number, operation->c,
          any ? "done" : "nothing");
    note_activity(run, slot);
}

static void shut_down(struct run *run, const struct operation *operation, int slot) {
    const struct slot *place = &run->descriptors.slots[slot];
    if (place->file == 0 || !descriptors_shut_down(&run->descriptors, slot, operation->c)) return;
    static const char *const names[] = {"SHUT_RD", "SHUT_WR", "SHUT_RDWR"};
    trace(run, "shutdown fd %d %s\n", place->number, names[operation->c % 3]);
    note_activity(run, slot);
    // The peer is woken. Who shut it down is supposed to know, and the kernel tells no epoll set.
    run->silent_file = place->file;
}

// MARK: - Watching

static void watch(struct run *run, const struct operation *operation) {
    int slot = operation->a % (SLOT_COUNT + 1), loop = operation->loop;
    if (slot >= POOL_SLOTS && slot < SLOT_COUNT) show(run, slot - POOL_SLOTS);
    int number = slot == SLOT_COUNT ? UNOPENED_NUMBER : run->descriptors.slots[slot].number;
    if (slot == SLOT_COUNT) slot = NO_SLOT;
    el_interest interest = operation->b & 7;
    el_mode mode = (operation->b >> 3) % 3;
    if (operation->c == 255) mode = 3;
    if (operation->c == 254) interest |= 8;
    struct reference *reference = &run->references[loop];
    const struct reference *other = &run->references[1 - loop];
    uint64_t token = ++run->last_token;
    static const char *const modes[] = {"level", "edge", "one-shot", "invalid"};
    if (operation->code == REMOVE) {
        trace(run, "loop %d: remove fd %d", loop, number);
    } else {
        trace(run, "loop %d: %s fd %d, interest %u, %s, token %" PRIu64, loop,
              operation->code == ADD ? "add" : "modify", number, (unsigned)interest, modes[mode], token);
    }
    int result;
    if (operation->code == ADD) {
        result = el_fd_add(run->loops[loop], number, interest, mode, token);
    } else if (operation->code == MODIFY) {
        result = el_fd_modify(run->loops[loop], number, interest, mode, token);
    } else {
        result = el_fd_remove(run->loops[loop], number);
    }
    trace(run, " -> %d\n", result);
    if (operation->code == ADD) {
        reference_add(reference, other, slot, interest, mode, token, result);
    } else if (operation->code == MODIFY) {
        reference_modify(reference, other, slot, interest, mode, token, result);
    } else {
        reference_remove(reference, slot, result);
    }
}

// MARK: - Time

/// The sum, stopped at the largest number.
static uint64_t after(uint64_t time_ns, uint64_t duration_ns) {
    return duration_ns > EL_NEVER - time_ns ? EL_NEVER : time_ns + duration_ns;
}

static uint64_t choose_deadline(const struct run *run, const struct reference *reference, uint8_t kind,
                                uint8_t value) {
    uint64_t now_ns = reference->now_ns;
    int bits = value % 64;
    switch (kind % 12) {
    case 0: return after(now_ns, value);
    case 1: return after(now_ns, value % 4);
    case 2: return after(now_ns, (uint64_t)value * 1000);
    case 3: return run->last_deadline_ns;
    case 4: return after(now_ns, (uint64_t)1 << bits);
    case 5: return after(((now_ns >> bits) << bits), (uint64_t)1 << bits); // the next round number
    case 6: return after(((now_ns >> bits) << bits), ((uint64_t)1 << bits) - 1);
    case 7: return now_ns > value ? now_ns - value : 0;
    case 8: return 0;
    case 9: return EL_NEVER;
    case 10: return EL_NEVER - 1;
    default: return after(run->last_deadline_ns, 1);
    }
}

static void start(struct run *run, const struct operation *operation, uint8_t kind, uint8_t value) {
    struct reference *reference = &run->references[operation->loop];
    if (reference->timer_count == MOST_TIMERS) return;
    uint64_t deadline_ns = choose_deadline(run, reference, kind, value), token = ++run->last_token;
    run->last_deadline_ns = deadline_ns;
    el_timer id = el_timer_start(run->loops[operation->loop], deadline_ns, token);
    trace(run, "loop %d: start timer at %" PRIu64 ", token %" PRIu64 " -> %#" PRIx64 "\n", operation->loop,
          deadline_ns, token, id);
    reference_start(reference, deadline_ns, token, id);
    run->is_numbered = false;
}

static void start_many(struct run *run, const struct operation *operation) {
    uint32_t state = operation->c;
    for (int i = 0; i < operation->a % 128; i++) {
        state = state * 1103515245 + 12345;
        start(run, operation, operation->b, (uint8_t)(state >> 16));
    }
}

static el_timer choose_id(const struct reference *reference, const struct operation *operation) {
    unsigned value = operation->b | (unsigned)operation->c << 8;
    unsigned dead = reference->dead_count < DEAD_IDS ? reference->dead_count : DEAD_IDS;
    el_timer some = 0;
    if (reference->timer_count > 0) {
        some = reference->timers[value % (unsigned)reference->timer_count].id;
    } else if (dead > 0) {
        some = reference->dead_ids[value % dead];
    }
    switch (operation->a % 16) {
    case 0: return dead > 0 ? reference->dead_ids[value % dead] : 0;
    case 1: return some ^ (el_timer)1 << value % 64;
    case 2: return some + value;
    case 3: return (el_timer)value << 32 | value * 2654435761u;
    case 4: return value & 1 ? UINT64_MAX : 0;
    case 5:
    case 6:
    case 7: return reference_first(reference);
    default: return some;
    }
}

static void cancel(struct run *run, const struct operation *operation) {
    struct reference *reference = &run->references[operation->loop];
    el_timer id = choose_id(reference, operation);
    trace(run, "loop %d: cancel timer %#" PRIx64, operation->loop, id);
    int result = el_timer_cancel(run->loops[operation->loop], id);
    trace(run, " -> %d\n", result);
    reference_cancel(reference, id, result);
}

static uint64_t choose_duration(const struct reference *reference, const struct operation *operation) {
    uint64_t earliest_ns = reference_earliest(reference);
    bool is_ahead = earliest_ns != EL_NEVER && earliest_ns > reference->now_ns;
    switch (operation->b % 8) {
    case 0: return operation->c;
    case 1: return operation->c % 4;
    case 2: return (uint64_t)operation->c * 1000;
    case 3: return is_ahead && earliest_ns < EL_NEVER / 2 ? earliest_ns - reference->now_ns : 1;
    case 4: return is_ahead && earliest_ns < EL_NEVER / 2 ? earliest_ns - reference->now_ns - 1 : 0;
    case 5: return (uint64_t)1 << operation->c % 48;
    case 6: return operation->c == 255 ? UINT64_MAX : operation->c * operation->c;
    default: return operation->c == 255 ? (uint64_t)1 << 62 : operation->c;
    }
}

static void advance(struct run *run, const struct operation *operation) {
    struct reference *reference = &run->references[operation->loop];
    uint64_t duration_ns = choose_duration(reference, operation);
    int result = el_clock_advance(run->loops[operation->loop], duration_ns);
    reference_advance(reference, duration_ns, result);
    trace(run, "loop %d: advance by %" PRIu64 " to %" PRIu64 "\n", operation->loop, duration_ns,
          reference->now_ns);
}

// MARK: - Waiting

/// A deadline in the future only where something will end the wait: nobody rings from outside.
static uint64_t choose_wait_deadline(const struct reference *reference, const struct operation *operation) {
    uint64_t now_ns = reference->now_ns;
    bool will_end = reference_must_report(reference) || reference_earliest(reference) <= now_ns;
    switch (operation->b % 5) {
    case 0: return 0;
    case 1: return now_ns;
    case 2: return will_end ? EL_NEVER : now_ns;
    case 3: return will_end ? after(now_ns, operation->c + 1u) : now_ns;
    default: return now_ns / 2;
    }
}

static void trace_events(struct run *run, const el_event *events, int count) {
    static const char *const kinds[] = {"nothing", "fd", "timer", "wake", "signal"};
    for (int i = 0; i < count; i++) {
        const char *kind = events[i].kind <= EL_EVENT_SIGNAL ? kinds[events[i].kind] : "unknown";
        trace(run, " %s %" PRIu64 "/%u", kind, events[i].token, events[i].ready);
    }
}

static void wait_once(struct run *run, const struct operation *operation) {
    struct reference *reference = &run->references[operation->loop];
    int capacity = operation->a < 128 ? operation->a % 6 + 1 : (operation->a - 128) % MOST_EVENTS + 1;
    if (operation->c == 255) capacity = operation->a % 2 - 1;
    uint64_t deadline_ns = choose_wait_deadline(reference, operation);
    el_event events[MOST_EVENTS + 1];
    memset(events, 0xee, sizeof events);
    trace(run, "loop %d: wait until %" PRIu64 ", capacity %d", operation->loop, deadline_ns, capacity);
    int result = el_loop_wait(run->loops[operation->loop], deadline_ns, events, capacity);
    trace(run, " -> %d", result);
    if (result > 0 && result <= capacity) trace_events(run, events, result);
    trace(run, "\n");
    reference_wait(reference, events, capacity, result);
    int end = result > 0 ? result : 0;
    if (end <= MOST_EVENTS && events[end].token != 0xeeeeeeeeeeeeeeee) {
        breach("el_loop_wait wrote behind the %d events that it returned", result);
    }
}

static void wake(struct run *run, const struct operation *operation) {
    int times = operation->c < 192 ? 1 : operation->c % 4 + 1;
    trace(run, "loop %d: wake, %d times\n", operation->loop, times);
    for (int i = 0; i < times; i++) {
        int result = el_loop_wake(run->loops[operation->loop]);
        if (result != 0) breach("el_loop_wake returned %d", result);
    }
    run->references[operation->loop].is_rung = true;
}

static void arm(struct run *run, const struct operation *operation) {
    int result = el_loop_arm(run->loops[operation->loop]);
    trace(run, "loop %d: arm -> %d\n", operation->loop, result);
    reference_arm(&run->references[operation->loop], result);
}

// MARK: - The run

static void perform(struct run *run, const struct operation *operation) {
    // Whatever is done to one loop may make its descriptor ready for the other; a wait of the other does not.
    int waiting = operation->code == WAIT ? operation->loop : LOOP_COUNT;
    for (int index = 0; index < LOOP_COUNT; index++) {
        if (index != 1 - waiting) note_activity(run, POOL_SLOTS + index);
    }
    int slot = operation->a % POOL_SLOTS;
    switch (operation->code) {
    case OPEN_PIPE:
    case OPEN_SOCKETS: return open_pair(run, operation);
    case OPEN_EVENT: return open_event(run, operation);
    case CLOSE: return close_slot(run, slot);
    case DUPLICATE: return duplicate(run, slot, operation->b % POOL_SLOTS);
    case WRITE:
    case READ: return write_or_read(run, operation, slot);
    case SHUT_DOWN: return shut_down(run, operation, slot);
    case ADD:
    case MODIFY:
    case REMOVE: return watch(run, operation);
    case START: return start(run, operation, operation->b, operation->c);
    case START_MANY: return start_many(run, operation);
    case CANCEL: return cancel(run, operation);
    case ADVANCE: return advance(run, operation);
    case WAIT: return wait_once(run, operation);
    case WAKE: return wake(run, operation);
    case ARM: return arm(run, operation);
    case SHOW: return show(run, operation->loop);
    case RESTART: return restart(run, operation->loop);
    case OPERATION_CODES: break;
    }
}

static void look(struct run *run, bool is_asking) {
    descriptors_look(&run->descriptors);
    for (int index = 0; index < LOOP_COUNT; index++) {
        reference_note_levels(&run->references[index], run->silent_file);
    }
    for (int index = 0; index < LOOP_COUNT; index++) {
        reference_check(&run->references[index], run->loops[index], is_asking);
    }
    run->silent_file = 0;
}

static int next_number(void) {
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    must(fd >= 0, "open");
    close(fd);
    return fd;
}

const char *model_run(const uint8_t *bytes, size_t length, FILE *trace_file) {
    static struct run run; // large
    int free_number = next_number();
    forget_breach();
    memset(&run, 0, sizeof run);
    run.trace = trace_file;
    descriptors_open(&run.descriptors);
    for (int index = 0; index < LOOP_COUNT; index++) create_loop(&run, index);
    for (size_t i = 0; i + OPERATION_SIZE <= length && first_breach() == NULL; i += OPERATION_SIZE) {
        struct operation operation = decode(bytes + i);
        run.step = i / OPERATION_SIZE;
        run.is_numbered = false;
        perform(&run, &operation);
        look(&run, operation.is_asking);
    }
    for (int index = 0; index < LOOP_COUNT; index++) el_loop_destroy(run.loops[index]);
    descriptors_close(&run.descriptors);
    if (next_number() != free_number) breach("a descriptor was left open");
    return first_breach();
}
