#include "breach.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static char sentence[512];

void breach(const char *format, ...) {
    if (sentence[0] != 0) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
}

const char *first_breach(void) { return sentence[0] == 0 ? NULL : sentence; }

void forget_breach(void) { sentence[0] = 0; }

void must(bool held, const char *what) {
    if (held) return;
    perror(what);
    abort();
}
