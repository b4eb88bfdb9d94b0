/// Memory or the end.
#ifndef FLOOR_ALLOCATE_H
#define FLOOR_ALLOCATE_H

#include <stdlib.h>

static inline void *allocate_zeroed(size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (memory == NULL) abort();
    return memory;
}

static inline void *allocate_again(void *memory, size_t count, size_t size) {
    memory = realloc(memory, count * size);
    if (memory == NULL) abort();
    return memory;
}

#endif
