/// How the parts of the model say that the loop did something else than it promises.
#ifndef EL_MODEL_BREACH_H
#define EL_MODEL_BREACH_H

#include <stdbool.h>

/// Records a sentence like printf. Only the first counts: what follows it is a consequence.
__attribute__((format(printf, 1, 2))) void breach(const char *format, ...);

/// The first sentence since the last call of forget_breach, or NULL.
const char *first_breach(void);
void forget_breach(void);

/// Setting up: what the operating system must do for the model to work at all. Aborts.
void must(bool held, const char *what);

#endif
