// Starts CEventLoopRunner for one case, from whatever program these cases were linked into.
#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "CEventLoopCases.h"

extern char **environ;

/// The runner that was built into the same directory as `file`.
static bool find_beside(const char *file, char runner[PATH_MAX]) {
    static const char name[] = "/CEventLoopRunner";
    if (realpath(file, runner) == NULL) return false;
    char *end = strrchr(runner, '/');
    if (end - runner + sizeof name > PATH_MAX) return false;
    memcpy(end, name, sizeof name);
    return access(runner, X_OK) == 0;
}

/// A test bundle may be a program or be loaded by one, and a program's own name may be relative to a
/// directory that it has left: so beside the file of this very code, or of the process.
static bool find_runner(char runner[PATH_MAX]) {
    Dl_info image;
    if (dladdr((const void *)el_cases, &image) != 0 && find_beside(image.dli_fname, runner)) return true;
    return find_beside("/proc/self/exe", runner);
}

static void read_all(int fd, char *out, size_t capacity) {
    size_t length = 0;
    char rest[256];
    for (;;) {
        bool has_room = length + 1 < capacity;
        ssize_t count =
            read(fd, has_room ? out + length : rest, has_room ? capacity - length - 1 : sizeof rest);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        if (has_room) length += (size_t)count;
    }
    out[length] = 0;
}

bool el_case_run_apart(int index, char *output, size_t capacity) {
    char runner[PATH_MAX];
    if (!find_runner(runner)) {
        snprintf(output, capacity, "CEventLoopRunner is not beside the test program; was it built?");
        return false;
    }
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        snprintf(output, capacity, "no pipe: %s", strerror(errno));
        return false;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    char *arguments[] = {runner, (char *)el_case_name(index), NULL};
    pid_t child;
    int error = posix_spawn(&child, runner, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    int status = -1;
    if (error == 0) {
        read_all(ends[0], output, capacity);
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
    } else {
        snprintf(output, capacity, "%s does not start: %s", runner, strerror(error));
    }
    close(ends[0]);
    return status == 0;
}
