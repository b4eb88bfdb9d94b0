/// Makes a failing sequence as short as it can.
#ifndef EL_MODEL_SHRINK_H
#define EL_MODEL_SHRINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Whether a sequence fails: breach, crash or hang. Each is tried in a child process of its own.
bool fails_in_child(const uint8_t *bytes, size_t count);

/// Leaves out operations, then lowers their bytes, as long as the rest still fails. Returns how many are
/// left, in place.
size_t shrink(uint8_t *bytes, size_t count);

#endif
