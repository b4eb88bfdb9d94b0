/// Random sequences, each the same for the same seed.
#ifndef EL_MODEL_RANDOM_H
#define EL_MODEL_RANDOM_H

#include <stddef.h>
#include <stdint.h>

enum { MOST_OPERATIONS = 1024 };

/// Fills `bytes`, which has room for MOST_OPERATIONS, and returns how many operations these are.
size_t random_sequence(uint64_t seed, uint8_t *bytes);

#endif
