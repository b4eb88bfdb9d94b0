#include "random.h"

#include <stdbool.h>

#include "model.h"

// Not every operation at any time: a sequence that never closes keeps a hundred timers or a full table, one
// that knows four numbers only hits the same ones again and again. So each sequence draws which operations
// it has, how often each comes, and how many numbers it plays with.

static uint64_t next(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static unsigned below(uint64_t *state, unsigned end) { return (unsigned)(next(state) % end); }

/// How often an operation comes when it is among a sequence's.
static const uint8_t usual_weights[OPERATION_CODES] = {
    [OPEN_PIPE] = 4, [OPEN_SOCKETS] = 6, [OPEN_EVENT] = 4, [CLOSE] = 6,   [DUPLICATE] = 6,
    [WRITE] = 16,    [READ] = 14,        [SHUT_DOWN] = 2,  [ADD] = 20,    [MODIFY] = 12,
    [REMOVE] = 6,    [START] = 14,       [START_MANY] = 2, [CANCEL] = 10, [ADVANCE] = 10,
    [WAIT] = 30,     [WAKE] = 4,         [ARM] = 2,        [SHOW] = 1,    [RESTART] = 1,
};

static unsigned draw_weights(uint64_t *state, uint8_t weights[OPERATION_CODES]) {
    unsigned total = 0;
    for (int code = 0; code < OPERATION_CODES; code++) {
        bool is_left_out = code != WAIT && below(state, 4) == 0;
        unsigned factor = below(state, 8) == 0 ? 8 : 1 + below(state, 3);
        weights[code] = is_left_out ? 0 : (uint8_t)(usual_weights[code] * factor);
        if (code == RESTART && below(state, 4) != 0) weights[code] = 0;
        total += weights[code];
    }
    return total;
}

static int draw_code(uint64_t *state, const uint8_t weights[OPERATION_CODES], unsigned total) {
    unsigned drawn = below(state, total);
    int code = 0;
    while (drawn >= weights[code]) drawn -= weights[code++];
    return code;
}

size_t random_sequence(uint64_t seed, uint8_t *bytes) {
    uint64_t state = seed;
    uint8_t weights[OPERATION_CODES];
    unsigned total = draw_weights(&state, weights);
    unsigned numbers = 2 + below(&state, 14); // the loops' own and one that is not open come last
    unsigned most_room = below(&state, 3) == 0 ? 2 : 256;
    unsigned second_loop = below(&state, 3); // never, now and then, half of the time
    unsigned not_asking = below(&state, 4);  // never, 1 in 4, 2 in 4 …
    size_t count = 16 + below(&state, MOST_OPERATIONS - 16);
    for (size_t i = 0; i < count; i++) {
        int code = draw_code(&state, weights, total);
        uint8_t *operation = bytes + i * OPERATION_SIZE;
        uint64_t drawn = next(&state);
        operation[0] = (uint8_t)code;
        operation[1] = (uint8_t)(drawn >> 8);
        operation[2] = (uint8_t)(drawn >> 16);
        operation[3] = (uint8_t)(drawn >> 24);
        if (second_loop > 0 && (drawn >> 32) % (second_loop == 1 ? 8 : 2) == 0) operation[0] |= SECOND_LOOP;
        if ((drawn >> 48) % 4 < not_asking) operation[0] |= NOT_ASKING;
        if (code == WAIT) {
            operation[1] = (uint8_t)(operation[1] % most_room);
        } else if (code <= REMOVE) {
            operation[1] = (uint8_t)(operation[1] % numbers);
            if (code < WRITE) operation[2] = (uint8_t)(operation[2] % numbers);
        }
    }
    return count;
}
