/// A TCP echo server: edge-triggered connections, writes that the kernel takes in part, accepting without
/// a free descriptor, and an orderly end on SIGINT or SIGTERM.
///
///     echo [PORT]          serves until a signal; port 7777 unless told
///     echo --self-test     serves sixteen clients on a thread of its own, then ends by itself
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CEventLoop.h>

static const uint64_t MILLISECOND = 1000000;

// Tokens mean what their event's kind makes of them: a descriptor's is 0 for the listener and otherwise
// the connection's address; a timer's is one of these.
enum { ACCEPT_AGAIN = 1, LAST_CALL = 2 };

struct connection {
    int fd;
    size_t start, end; // read, and not written yet: buffer[start] to buffer[end - 1]
    struct connection *next, **link;
    char buffer[65536];
};

struct server {
    el_loop *loop;
    int listener;
    el_timer accept_again; // 0 unless accepting is paused
    struct connection *connections;
    bool is_stopping, is_over;
    unsigned accepted, pauses, cut_short, partial_writes;
};

static void fail(const char *call, int error) {
    fprintf(stderr, "%s: %s\n", call, strerror(error));
    exit(1);
}

// MARK: - Connections

static void resume_accepting(struct server *server) {
    if (server->accept_again == 0) return;
    el_timer_cancel(server->loop, server->accept_again);
    server->accept_again = 0;
    if (!server->is_stopping) el_fd_modify(server->loop, server->listener, EL_READ, EL_LEVEL, 0);
}

static void close_connection(struct server *server, struct connection *connection) {
    *connection->link = connection->next;
    if (connection->next != NULL) connection->next->link = connection->link;
    el_fd_remove(server->loop, connection->fd); // before close: see el_fd_remove
    close(connection->fd);
    free(connection);
    if (server->is_stopping && server->connections == NULL) server->is_over = true;
    resume_accepting(server); // there is a descriptor again
}

/// Moves bytes until the kernel has no more or takes no more. Both directions are watched edge-triggered,
/// so either end brings us back. Returns whether the connection is over.
static bool echo(struct server *server, struct connection *connection) {
    int fd = connection->fd;
    for (int round = 0; round < 64; round++) {
        while (connection->start < connection->end) {
            size_t length = connection->end - connection->start;
            ssize_t count = send(fd, connection->buffer + connection->start, length, MSG_NOSIGNAL);
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) return errno != EAGAIN;
            if ((size_t)count < length) server->partial_writes++;
            connection->start += (size_t)count;
        }
        ssize_t count = recv(fd, connection->buffer, sizeof connection->buffer, 0);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno != EAGAIN;
        if (count == 0) return true; // the client has sent all, and has it all back
        connection->start = 0;
        connection->end = (size_t)count;
    }
    // Others want their turn. An edge-triggered descriptor that is ready when it is modified is reported
    // again, so this one goes on at the next wait.
    el_fd_modify(server->loop, fd, EL_READ | EL_WRITE, EL_EDGE, (uintptr_t)connection);
    return false;
}

// MARK: - Accepting

/// The process has no descriptor left, so the listener would be ready at every wait, in vain. It keeps
/// its clients in the backlog until a connection ends or, as others may hold the descriptors, for a while.
static void pause_accepting(struct server *server) {
    server->pauses++;
    el_fd_modify(server->loop, server->listener, 0, EL_LEVEL, 0);
    server->accept_again =
        el_timer_start(server->loop, el_loop_now(server->loop) + 100 * MILLISECOND, ACCEPT_AGAIN);
}

static void accept_all(struct server *server) {
    for (;;) {
        int fd = el_fd_accept(server->listener);
        if (fd == -EAGAIN) return;
        if (fd == -ECONNABORTED || fd == -EINTR) continue; // that client has gone; the next, please
        if (fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM) {
            pause_accepting(server);
            return;
        }
        if (fd < 0) fail("accept", -fd);

        struct connection *connection = malloc(sizeof *connection);
        if (connection == NULL ||
            el_fd_add(server->loop, fd, EL_READ | EL_WRITE, EL_EDGE, (uintptr_t)connection) < 0) {
            free(connection);
            close(fd);
            continue;
        }
        server->accepted++;
        connection->fd = fd;
        connection->start = connection->end = 0;
        connection->link = &server->connections;
        connection->next = server->connections;
        if (connection->next != NULL) connection->next->link = &connection->next;
        server->connections = connection;
    }
}

// MARK: - The end

/// The first signal closes the door and gives who is inside two seconds; the second one does not wait.
static void stop(struct server *server) {
    if (server->is_stopping || server->connections == NULL) server->is_over = true;
    if (server->is_stopping) return;
    server->is_stopping = true;
    el_fd_remove(server->loop, server->listener);
    close(server->listener);
    el_timer_start(server->loop, el_loop_now(server->loop) + 2000 * MILLISECOND, LAST_CALL);
}

static void serve(struct server *server) {
    el_fd_add(server->loop, server->listener, EL_READ, EL_LEVEL, 0);
    while (!server->is_over) {
        el_event events[64];
        int count = el_loop_wait(server->loop, EL_NEVER, events, 64);
        if (count < 0) fail("el_loop_wait", -count);
        // A connection is closed only while its own event is dealt with, and has one event in a batch, so
        // no event further on can mean a connection that is freed.
        for (int i = 0; i < count; i++) {
            switch (events[i].kind) {
            case EL_EVENT_SIGNAL: stop(server); break;
            case EL_EVENT_TIMER:
                if (events[i].token == ACCEPT_AGAIN) resume_accepting(server);
                if (events[i].token == LAST_CALL) server->is_over = true;
                break;
            case EL_EVENT_FD: {
                struct connection *connection = (struct connection *)(uintptr_t)events[i].token;
                if (connection == NULL) {
                    if (!server->is_stopping) accept_all(server);
                } else if (echo(server, connection)) {
                    close_connection(server, connection);
                }
                break;
            }
            default: break; // what a later version adds, and we have not asked for
            }
        }
    }
    while (server->connections != NULL) {
        server->cut_short++;
        close_connection(server, server->connections);
    }
}

static int listen_on(struct sockaddr_in *address) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    socklen_t size = sizeof *address;
    if (listener < 0) fail("socket", errno);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)address, size) < 0) fail("bind", errno);
    if (listen(listener, 511) < 0) fail("listen", errno);
    getsockname(listener, (struct sockaddr *)address, &size); // the port, if it was 0
    return listener;
}

// MARK: - The self-test: clients on a thread of their own

enum { CLIENTS = 16, SERVED_AT_ONCE = 6, MESSAGE = 1 << 18 };

struct clients {
    int fds[CLIENTS];
    int satisfied;
};

/// Sends until the kernel takes no more, and only then reads: this fills the server's side, too.
static bool is_echoed(int fd, const char *message, size_t length) {
    static char answer[65536];
    size_t sent = 0, received = 0;
    while (received < length) {
        ssize_t count = sent < length ? send(fd, message + sent, length - sent, MSG_DONTWAIT) : 0;
        if (count > 0) {
            sent += (size_t)count;
            if (sent == length) shutdown(fd, SHUT_WR);
            continue;
        }
        count = recv(fd, answer, sizeof answer, 0);
        if (count <= 0 || memcmp(answer, message + received, (size_t)count) != 0) return false;
        received += (size_t)count;
    }
    return recv(fd, answer, 1, 0) == 0;
}

static void *run_clients(void *argument) {
    struct clients *clients = argument;
    char *message = malloc(MESSAGE);
    if (message == NULL) fail("malloc", ENOMEM);
    for (size_t i = 0; i < MESSAGE; i++) message[i] = (char)(i * 31 >> 3);
    // One after another: the rest waits in the listener's backlog for a descriptor.
    for (int i = 0; i < CLIENTS; i++) {
        clients->satisfied += is_echoed(clients->fds[i], message, MESSAGE);
        close(clients->fds[i]);
    }
    free(message);
    kill(getpid(), SIGTERM);
    return NULL;
}

static int self_test(struct server *server, const struct sockaddr_in *address) {
    // Accepted connections inherit it: too little for what the server writes at once.
    int small = 32768;
    setsockopt(server->listener, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    struct clients clients = {0};
    for (int i = 0; i < CLIENTS; i++) {
        clients.fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(clients.fds[i], (const struct sockaddr *)address, sizeof *address) < 0)
            fail("connect", errno);
    }
    // All are connected before the first is accepted; now let there be too few descriptors for them.
    int lowest = dup(server->listener);
    close(lowest);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = (rlim_t)lowest + SERVED_AT_ONCE;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0) fail("setrlimit", errno);

    // After el_signal_add, so that the thread inherits the mask and leaves the signal to the loop.
    pthread_t thread;
    int error = pthread_create(&thread, NULL, run_clients, &clients);
    if (error != 0) fail("pthread_create", error);
    serve(server);
    pthread_join(thread, NULL);
    printf("%d of %d clients got their bytes back; accepting paused %u time(s); the kernel took %u "
           "write(s) in part\n",
           clients.satisfied, CLIENTS, server->pauses, server->partial_writes);
    return clients.satisfied == CLIENTS && server->pauses > 0 && server->partial_writes > 0 ? 0 : 1;
}

int main(int argc, char **argv) {
    bool is_self_test = argc > 1 && strcmp(argv[1], "--self-test") == 0;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons(is_self_test ? 0 : (uint16_t)(argc > 1 ? atoi(argv[1]) : 7777));

    struct server server = {.listener = listen_on(&address)};
    int result = el_loop_create(EL_CLOCK_MONOTONIC, &server.loop);
    if (result < 0) fail("el_loop_create", -result);
    el_signal_add(server.loop, SIGINT, SIGINT);
    el_signal_add(server.loop, SIGTERM, SIGTERM);
    printf("echoing on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);

    int status = 0;
    if (is_self_test) {
        status = self_test(&server, &address);
    } else {
        serve(&server);
    }
    printf("ended: %u accepted, %u cut short\n", server.accepted, server.cut_short);
    el_loop_destroy(server.loop);
    return status;
}
