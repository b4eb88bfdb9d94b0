// libFuzzer's door to the model: coverage leads the way instead of chance.

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

int LLVMFuzzerInitialize(int *argument_count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerInitialize(int *argument_count, char ***arguments) {
    (void)argument_count;
    (void)arguments;
    signal(SIGPIPE, SIG_IGN);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    const char *sentence = model_run(bytes, length, NULL);
    if (sentence == NULL) return 0;
    fprintf(stderr, "model: %s; make the file below small with Scripts/model --shrink\n", sentence);
    abort();
}
