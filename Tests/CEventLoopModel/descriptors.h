/// The descriptors that a run plays with, and what poll(2) says they are ready for.
///
/// A slot is a number that is opened, closed and opened anew; a file is what it stands for, and gets an id
/// that never comes back. Several slots may hold one file (dup).
#ifndef EL_MODEL_DESCRIPTORS_H
#define EL_MODEL_DESCRIPTORS_H

#include <stdbool.h>
#include <stdint.h>

enum { POOL_SLOTS = 12, LOOP_COUNT = 2, SLOT_COUNT = POOL_SLOTS + LOOP_COUNT };

enum file_kind { FILE_PIPE_READER, FILE_PIPE_WRITER, FILE_SOCKET, FILE_EVENT, FILE_LOOP };

struct slot {
    int number;
    uint32_t file; // 0: closed
    uint32_t peer; // the file at the other end, or 0
    enum file_kind kind;
    uint32_t level;  // el_ready flags at the last look
    uint32_t before; // … and at the look before, of the same file
};

struct descriptors {
    struct slot slots[SLOT_COUNT]; // the last ones are what el_loop_fd returns
    uint32_t last_file;
};

void descriptors_open(struct descriptors *descriptors);
void descriptors_close(struct descriptors *descriptors);

// Each puts something new where something else may be open, which is closed by that.
void descriptors_make_pipe(struct descriptors *descriptors, int reader, int writer);
void descriptors_make_sockets(struct descriptors *descriptors, int one, int other);
void descriptors_make_event(struct descriptors *descriptors, int slot, unsigned count);
void descriptors_duplicate(struct descriptors *descriptors, int from, int to);
void descriptors_close_slot(struct descriptors *descriptors, int slot);
/// The descriptor of a loop, which is the loop's to close; -1: it is gone.
void descriptors_show_loop(struct descriptors *descriptors, int loop, int number);

/// Return whether anything happened.
bool descriptors_write(struct descriptors *descriptors, int slot, unsigned amount);
bool descriptors_read(struct descriptors *descriptors, int slot, unsigned amount);
bool descriptors_shut_down(struct descriptors *descriptors, int slot, unsigned direction);

/// Asks poll(2) what each is ready for.
void descriptors_look(struct descriptors *descriptors);

/// Whether some slot holds the file.
bool descriptors_holds(const struct descriptors *descriptors, uint32_t file);
/// What a file is ready for; nothing when it is closed.
uint32_t descriptors_level(const struct descriptors *descriptors, uint32_t file);
uint32_t descriptors_level_before(const struct descriptors *descriptors, uint32_t file);

#endif
