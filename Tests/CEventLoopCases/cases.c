#include "CEventLoopCases.h"

#include <stdio.h>
#include <sys/wait.h>

#include "support.h"

const struct el_case el_cases[] = {
#define CASE_IN_LIST(name) {#name, case_##name},
#include "list.h"
#undef CASE_IN_LIST
};

// One case runs at a time, and the first expectation that fails is the one to read.
static char sentence[512];

void fail(const char *file, int line, const char *expectation) {
    if (sentence[0] != 0) return;
    snprintf(sentence, sizeof sentence, "%s:%d: expected %s", file, line, expectation);
}

bool has_failed(void) { return sentence[0] != 0; }

void end_child(void) {
    if (has_failed()) {
        printf("in the child: %s\n", sentence);
        fflush(stdout);
    }
    _exit(has_failed());
}

bool child_held(int pid) {
    int status = -1;
    return waitpid(pid, &status, 0) == pid && status == 0;
}

void skip(const char *reason) {
    printf("skip: %s\n", reason);
    fflush(stdout);
}

int el_case_count(void) { return (int)(sizeof el_cases / sizeof *el_cases); }

const char *el_case_name(int index) { return el_cases[index].name; }

const char *el_case_run(int index) {
    sentence[0] = 0;
    int open_before = count_open_fds();
    el_cases[index].run();
    int leaked = count_open_fds() - open_before;
    if (sentence[0] == 0 && leaked != 0) {
        snprintf(sentence, sizeof sentence, "%s: leaves %d more descriptors open than before",
                 el_cases[index].name, leaked);
    }
    return sentence[0] == 0 ? NULL : sentence;
}
