/// What a loop runs.
#ifndef FLOOR_CALLBACK_H
#define FLOOR_CALLBACK_H

struct callback {
    void (*run)(void *argument);
    void *argument;
};

static inline void callback_run(struct callback callback) { callback.run(callback.argument); }

#endif
