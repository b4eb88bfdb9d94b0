/// A real loop and its model, driven side by side by a sequence of operations.
#ifndef EL_MODEL_H
#define EL_MODEL_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/// Any bytes are a sequence. What is left over at the end is no operation.
enum { OPERATION_SIZE = 4 };

/// What the first byte of an operation stands for. The order belongs to the corpus: add at the end.
enum operation_code {
    OPEN_PIPE,
    OPEN_SOCKETS,
    OPEN_EVENT,
    CLOSE,
    DUPLICATE,
    WRITE,
    READ,
    SHUT_DOWN,
    ADD,
    MODIFY,
    REMOVE,
    START,
    START_MANY,
    CANCEL,
    ADVANCE,
    WAIT,
    WAKE,
    ARM,
    SHOW,
    RESTART,
    OPERATION_CODES,
};

/// The first byte: five bits of code, of which those without a meaning are one more WAIT; whether nobody
/// asks for the earliest deadline afterwards, since a store may sort itself only when it is asked; and which
/// of the two loops.
enum { MOST_CODES = 32, NOT_ASKING = 0x40, SECOND_LOOP = 0x80 };

/// Runs a sequence from a fresh start to its end, or to the first breach of the contract. Returns NULL, or
/// what was breached. `trace`: gets a line for each operation; may be NULL.
const char *model_run(const uint8_t *bytes, size_t length, FILE *trace);

#endif
