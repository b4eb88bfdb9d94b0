// Runs the cases, each in a child process: `CEventLoopRunner`, `CEventLoopRunner list`, or
// `CEventLoopRunner NAME…`. Exits with 1 when one fails.
#define _GNU_SOURCE

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "CEventLoopCases.h"

enum { LONGEST_MS = 120000 }; // only a case that hangs takes as long

static void run_here(int index) {
    prctl(PR_SET_PDEATHSIG, SIGKILL); // a case that hangs does not outlive whoever waits for it
    const char *sentence = el_case_run(index);
    if (sentence != NULL) printf("%s\n", sentence);
    fflush(stdout);
    exit(sentence == NULL ? 0 : 1); // not _exit: a leak checker works at exit
}

static bool run_in_child(int index) {
    const char *name = el_case_name(index);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) run_here(index);
    int child_fd = (int)syscall(SYS_pidfd_open, child, 0);
    struct pollfd watch = {.fd = child_fd, .events = POLLIN};
    bool has_ended = child_fd < 0 || poll(&watch, 1, LONGEST_MS) > 0;
    if (child_fd >= 0) close(child_fd);
    if (!has_ended) kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    if (has_ended && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        printf("pass %s\n", name);
        return true;
    }
    if (!has_ended) {
        printf("FAIL %s: did not end\n", name);
    } else if (WIFSIGNALED(status)) {
        printf("FAIL %s: ended by signal %d (%s)\n", name, WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else {
        printf("FAIL %s: exit status %d\n", name, WEXITSTATUS(status));
    }
    return false;
}

static int find(const char *name) {
    for (int index = 0; index < el_case_count(); index++) {
        if (strcmp(name, el_case_name(index)) == 0) return index;
    }
    fprintf(stderr, "no case is called %s\n", name);
    exit(2);
}

int main(int argument_count, char **arguments) {
    if (argument_count == 2 && strcmp(arguments[1], "list") == 0) {
        for (int index = 0; index < el_case_count(); index++) printf("%s\n", el_case_name(index));
        return 0;
    }
    // A test framework may start us from a thread that blocks every signal, and masks are inherited.
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int asked = argument_count - 1, failed = 0;
    int total = asked > 0 ? asked : el_case_count();
    for (int i = 0; i < total; i++) {
        if (!run_in_child(asked > 0 ? find(arguments[i + 1]) : i)) failed++;
    }
    printf("%d cases, %d passed, %d failed\n", total, total - failed, failed);
    return failed == 0 ? 0 : 1;
}
