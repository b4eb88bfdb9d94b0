// Runs each scenario once for each way in which one of its calls can fail, then, asked for `pairs`, once
// for each way in which two of them can: `CEventLoopFaults [pairs] [SCENARIO]`. Exits with 1 when the
// reactor did not do what rules.c says, or kept anything.
#define _GNU_SOURCE

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report.h"
#include "rules.h"
#include "scenarios.h"
#include "seam.h"

enum { LONGEST_S = 30, LASTING = 3 };

static char sentence[512];
static const struct scenario *scenario; // that is running
static int run_count, failed_count;

void report(const char *format, ...) {
    if (sentence[0] != 0) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
}

static void print_failure(const char *what) {
    printf("FAIL %s", scenario->name);
    for (int i = 0; i < MOST_FAULTS; i++) {
        const struct fault *fault = &faults[i];
        if (fault->rule == NULL) continue;
        printf(", call %d (%s in %s) %s", fault->at, call_names[fault->rule->call], fault->rule->function,
               strerrorname_np(fault->error));
    }
    printf(": %s\n", what);
    fflush(stdout);
}

static void end_hanging(int number) {
    (void)number;
    print_failure("did not end"); // not for a handler to call; but what hangs is not in printf
    _exit(1);
}

static bool open_numbers[1024];

static int count_opened(bool remember) {
    int count = 0;
    for (int fd = 0; fd < 1024; fd++) {
        bool is_open = fcntl(fd, F_GETFD) >= 0;
        count += is_open && !open_numbers[fd];
        if (remember) open_numbers[fd] = is_open;
    }
    return count;
}

static void run_once(void) {
    static int since_look;
    sigset_t before, after;
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    sentence[0] = 0;
    seam_begin();
    alarm(LONGEST_S);
    scenario->run();
    alarm(0);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    if (seam_blocks() != 0) report("%d blocks of memory are not freed", seam_blocks());
    if (seam_descriptors() != 0) report("%d descriptors are not closed", seam_descriptors());
    for (int number = 1; number < NSIG; number++) {
        if (sigismember(&before, number) != sigismember(&after, number))
            report("the signal mask has changed");
    }
    // The seam counts what the reactor opens; a look at the whole process now and then checks the seam.
    if (++since_look % 64 == 0 && count_opened(false) != 0) report("descriptors are open that were not");
    run_count++;
    if (sentence[0] == 0) return;
    print_failure(sentence);
    if (++failed_count == 20) exit(1);
}

/// Fails with the fault's first error, then with its second, …, then the next call, until there is none.
/// Returns false then.
static bool next_fault(struct fault *fault, int first) {
    if (fault->at == 0) {
        *fault = (struct fault){.at = first};
    } else if (!fault->is_reached) {
        return false;
    } else if (fault->rule == NULL) {
        *fault = (struct fault){.at = fault->at + 1};
    } else {
        fault->which++;
    }
    return true;
}

static void run_single(int times) {
    memset(faults, 0, sizeof faults);
    while (next_fault(&faults[0], 1)) {
        faults[0].times = times;
        run_once();
    }
}

static void run_pairs(void) {
    memset(faults, 0, sizeof faults);
    while (next_fault(&faults[0], 1)) {
        faults[0].times = 1;
        run_once();
        if (faults[0].rule == NULL) continue;
        struct fault first = faults[0];
        while (next_fault(&faults[1], first.at + 1)) {
            faults[0].times = faults[1].times = 1;
            run_once();
        }
        faults[0] = first;
        faults[1] = (struct fault){0};
    }
}

int main(int argument_count, char **arguments) {
    bool has_pairs = argument_count > 1 && strcmp(arguments[1], "pairs") == 0;
    const char *only = argument_count > 1 + has_pairs ? arguments[1 + has_pairs] : NULL;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGALRM, end_hanging);
    count_opened(true);
    for (int i = 0; i < scenario_count; i++) {
        scenario = &scenarios[i];
        if (only != NULL && strcmp(only, scenario->name) != 0) continue;
        memset(faults, 0, sizeof faults);
        run_once(); // as it is without faults
        if (failed_count > 0) continue;
        run_single(1);
        run_single(LASTING);
        if (has_pairs) run_pairs();
    }
    long injected = 0;
    for (int call = 0; call < CALL_COUNT; call++) {
        injected += seam_injected[call];
        if (seam_injected[call] > 0) printf("  %-24s %8ld\n", call_names[call], seam_injected[call]);
    }
    printf("faults: %ld injected in %d runs, %s\n", injected, run_count,
           failed_count == 0 ? "all handled" : "not all handled");
    return failed_count == 0 ? 0 : 1;
}
